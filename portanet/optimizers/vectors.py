"""Trees of arrays as vectors, for solvers that run on the host, and what these ask of their arrays."""

from __future__ import annotations

import math
from typing import Any

from portanet import autodiff, checks
from portanet.autodiff import array_namespace
from portanet.backends import Array, readable
from portanet.tree import tree_items, tree_map


def readable_now(value: Array, of: str) -> None:
    """Raise unless the values of an array can be read, which they can't while a function is compiled."""
    if not readable(value, wait=True):
        raise autodiff.TraceError(
            f"{of} reads values on the host, and there are none while jax.jit compiles. Call it outside of "
            f"compiled functions, and compile `f`. Received: f(x) of shape {tuple(value.shape)} without values"
        )


def real_floating(name: str, tree: Any, of: str) -> None:
    """Raise unless an argument is a tree of floating-point arrays of one dtype."""
    leaves = [leaf for _, leaf in tree_items(tree)]
    dtypes = {str(getattr(leaf, "dtype", type(leaf).__name__)) for leaf in leaves}
    floating = all(
        hasattr(leaf, "dtype") and array_namespace(leaf).isdtype(leaf.dtype, "real floating") for leaf in leaves
    )
    if len(dtypes) != 1 or not floating:
        raise TypeError(
            f"{checks.argument(name, of)} must be a tree of floating-point arrays of one dtype. "
            f"Received: dtypes {', '.join(sorted(dtypes)) or 'of no arrays'}"
        )


def same_form(result: Any, like: Any, name: str, of: str) -> None:
    """Raise unless the result of argument `f` has the structure, shapes and dtypes of another argument."""
    received, expected = _form(result), _form(like)
    if received != expected:
        raise ValueError(
            f"{checks.argument('f', of)} must return the structure, shapes and dtypes of `{name}`: {expected}. "
            f"Received: {received}"
        )


def _form(tree: Any) -> str:
    return "; ".join(
        f"{path} {tuple(x.shape)} {x.dtype}".strip() if hasattr(x, "shape") else type(x).__name__
        for path, x in tree_items(tree)
    )


def flat(tree: Any) -> Array:
    """The leaves of a tree in one vector."""
    leaves = [leaf for _, leaf in tree_items(tree)]
    xp = array_namespace(*leaves)
    return xp.concat([xp.reshape(leaf, (-1,)) for leaf in leaves])


def tree_of(x: Array, like: Any) -> Any:
    """The tree of a vector, of the structure and shapes of another."""
    xp = array_namespace(x)
    offset = 0

    def leaf(like: Array) -> Array:
        nonlocal offset
        size = math.prod(like.shape)
        offset += size
        return xp.reshape(x[offset - size : offset], tuple(like.shape))

    return tree_map(leaf, like)


def largest(x: Array) -> float:
    """The largest absolute element; 0 of none."""
    xp = array_namespace(x)
    return float(xp.max(xp.abs(x))) if math.prod(x.shape) else 0.0
