"""The first operation whose result, tangent or cotangent is not finite."""

from __future__ import annotations

import contextlib
import math
import pathlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

from portanet import checks
from portanet.autodiff.batching.array import storage
from portanet.autodiff.boundary import PACKAGE, pulled
from portanet.autodiff.conversion import line_of, outside
from portanet.autodiff.debugging import LOG
from portanet.autodiff.traced import Node, TracedArray
from portanet.autodiff.tracing import Parts, is_array
from portanet.autodiff.transforms import vjp
from portanet.backends import raw_namespace, readable
from portanet.tree import tree_leaves, tree_map

AUTODIFF = str(pathlib.Path(__file__).parent.parent)


@contextlib.contextmanager
def detect_anomaly(nan_only: bool = False) -> Iterator[None]:
    """Within this context, differentiation stops at the first operation whose result or derivative is not finite.

    Results are checked as they are computed, tangents (forward mode) and cotangents (reverse mode) as they are passed
    on, at the cost of reading every value: for debugging. Operations on constants are not recorded, nor checked. It
    works in any transform, and in `fit` where the backend does not compile the training step.

    Args:
        nan_only: Whether infinities are allowed, such as those of masks and barriers.

    Raises:
        FloatingPointError: A value is not finite; the message names the operation, the line where it was called, how
            many elements are NaN or infinite, and the position of the first.
        RuntimeError: The values cannot be read because the function is being compiled.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import array_namespace, detect_anomaly, grad
        >>> def f(x):
        ...     return array_namespace(x).sum(array_namespace(x).log(x))
        >>> with detect_anomaly(), np.errstate(all="ignore"):
        ...     grad(f)(np.asarray([4.0, 0.0]))
        Traceback (most recent call last):
        FloatingPointError: The result of `log` is not finite: 1 of 2 elements (0 NaN, 1 infinite), ...
    """
    checks.boolean("nan_only", nan_only, "detect_anomaly")
    token = LOG.set(Watch(nan_only))
    try:
        yield
    finally:
        LOG.reset(token)


def first_anomaly(f: Callable[..., Any], args: tuple[Any, ...]) -> str:
    """What `detect_anomaly` says about `f`, whose results are arrays, and its derivative; empty if all is finite."""
    try:
        with detect_anomaly():
            value, pullback = vjp(f, *args)
            pullback(tree_map(lambda x: raw_namespace(x).ones_like(x), value))
    except FloatingPointError as error:
        return str(error)
    return ""


class Watch:
    """A log that keeps nothing, but checks what is appended and guards the pullbacks of nodes."""

    def __init__(self, nan_only: bool) -> None:
        self.nan_only = nan_only

    def append(self, item: tuple[str, TracedArray]) -> None:
        """Check the result of an operation, and its tangent; see that its cotangents will be checked."""
        op, out = item
        what = "An argument of the differentiated function" if op == "input" else f"The result of `{op}`"
        place = called_at()
        self.require_finite(out, what, place)
        if out._trace is not None and out._trace.forward:
            self.require_finite(out._link, f"The tangent of {what[0].lower()}{what[1:]}", place)
        else:
            self.guard(out._link, place)

    def guard(self, node: Node, place: str) -> None:
        """Let a node check what it passes on; also the node of all results that one result is a part of."""
        parent = node.parents
        if type(parent) is Node and parent.pull is not None and not isinstance(parent.pull, Guard):
            self.guard(parent, place)
        if node.pull is not None:
            node.pull = Guard(self, Node(node.op, node.parents, node.pull), place)

    def require_finite(self, x: Any, what: str, place: str) -> None:
        """Raise if an array is not finite."""
        x = storage(x)
        if not is_array(x):
            return
        if not readable(x, wait=True):
            raise RuntimeError(
                "detect_anomaly reads values, and a function that is being compiled has none. Run it uncompiled, a "
                f"model for example with model.to('numpy'). Received: an array of type {type(x).__name__}"
            )
        raw = raw_namespace(x)
        bad = raw.isnan(x) if self.nan_only else ~raw.isfinite(x)
        if not raw.any(bad):
            return
        shape = tuple(x.shape)
        position, index = int(raw.argmax(raw.reshape(raw.astype(bad, raw.uint8), (-1,)))), []
        for n in reversed(shape):
            position, i = divmod(position, n)
            index.append(i)
        nan = int(raw.count_nonzero(raw.isnan(x)))
        infinite = 0 if self.nan_only else int(raw.count_nonzero(bad)) - nan
        raise FloatingPointError(
            f"{what} is not finite: {nan + infinite} of {math.prod(shape)} elements ({nan} NaN, {infinite} infinite), "
            f"the first at index {tuple(reversed(index))}. {place}"
        )


class Guard:
    """The pullback of a node, which checks the cotangents that it passes on."""

    def __init__(self, watch: Watch, node: Node, place: str) -> None:
        self.watch = watch
        self.node = node
        self.place = place

    def __call__(self, g: Any) -> Any:
        grads = pulled(self.node, g)
        several = isinstance(self.node.parents, tuple)
        for i, grad in enumerate(grads if several else [grads]):
            what = f"The cotangent that `{self.node.op}` passes to its operand{f' {i}' if several else ''}"
            for part in grad.parts.values() if isinstance(grad, Parts) else tree_leaves(grad):
                self.watch.require_finite(part, what, self.place)
        return grads


def called_at() -> str:
    """The line outside `portanet.autodiff` that called the operation; for one inside portanet, also its caller's."""
    frame = outside(AUTODIFF, sys._getframe(1))
    caller = outside(PACKAGE, frame)
    lines = dict.fromkeys(map(line_of, (frame, caller)))
    return f"It was called at {', in a call at '.join(lines)}"
