"""Recompute instead of storing."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from portanet import checks
from portanet.autodiff import tracing
from portanet.autodiff.closures import recomputed
from portanet.autodiff.traced import TracedArray
from portanet.tree import tree_map


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function with the same values and derivatives as `f` that stores only its arguments.

    `f` is computed a second time when the reverse pass reaches it, so a deep chain stores only the inputs of its links,
    at the cost of one more forward pass. `f` must return the same result for the same arguments (random numbers from
    a key among them); it may close over arrays.

    Args:
        f: A function of arrays.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import checkpoint, grad
        >>> block = checkpoint(lambda x: x * x * x)
        >>> float(grad(lambda x: block(block(x)))(np.asarray(1.0)))
        9.0
    """
    checks.function("f", f, "checkpoint")
    name = getattr(f, "__name__", "checkpoint")

    @functools.wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        arguments = tree_map(_input, (args, kwargs))  # which the caller may write to later

        def run() -> Any:
            new_args, new_kwargs = tree_map(_input, arguments)
            return f(*new_args, **new_kwargs)

        return recomputed(run, name, arguments)

    return function


def _input(x: Any) -> Any:
    """A copy of a traced array that a function may write to in place, as to its own."""
    if type(x) is TracedArray:
        x = tracing.copied(x)
        x._writable = False
    return x
