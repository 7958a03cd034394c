"""Declaration of batching rules: one for every function of the standard, and for the primitives of derivatives.

A rule gets a `Call` and the arguments, with arrays of the call's level as `BatchedArray`s, and returns values whose
first axis is the batch axis. It computes in the namespace of the values, which records derivatives if these are traced.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any, NamedTuple, NoReturn

from portanet.autodiff.batching.array import BatchedArray, BatchedSpace, Level
from portanet.autodiff.namespace import Section
from portanet.autodiff.rules import PRIMITIVES
from portanet.autodiff.tracing import is_array

Function = Callable[..., Any]


class Rule(NamedTuple):
    """How to compute a function for a batch; one that is not `opened` only looks at shapes and dtypes."""

    function: Function
    opened: bool = True
    elementwise: bool = False


RULES: dict[str, Rule] = {}


def find(xp: Any, name: str) -> Function:
    """A function of the standard by its full name, or a primitive, in any namespace."""
    if name in PRIMITIVES and not isinstance(xp, (Section, BatchedSpace)):
        return functools.partial(PRIMITIVES[name], xp)
    function: Function = functools.reduce(getattr, name.split("."), xp)
    return function


class Call:
    """The call of one function on one level: the namespace of the values, the level, and the function's name.

    Where the function itself is known, it need not be found.
    """

    __slots__ = ("function", "level", "name", "xp")

    def __init__(self, xp: Any, level: Level, name: str, function: Function | None = None) -> None:
        self.xp = xp
        self.level = level
        self.name = name
        self.function = function

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function itself on values."""
        return (self.function or find(self.xp, self.name))(*args, **kwargs)

    def batched(self, x: Any) -> bool:
        """Whether an argument has one value per example."""
        return isinstance(x, BatchedArray) and x.level is self.level

    def value(self, x: Any) -> Any:
        """The value of an argument with a batch axis, which is 1 for an array that all examples share."""
        return x.value if self.batched(x) else self.xp.expand_dims(x, axis=0)

    def each(self, x: Any) -> Any:
        """The value of an argument with the batch axis, also if all examples share it."""
        return x.value if self.batched(x) else self.xp.broadcast_to(x, (self.level.size, *x.shape))

    def aligned(self, *arrays: Any) -> list[Any]:
        """Values that broadcast against each other as the arguments of one example do; scalars stay."""
        rank = max((len(x.shape) for x in arrays if is_array(x)), default=0)
        out = []
        for x in arrays:
            if self.batched(x):
                shape = x.shape
                x = x.value
                if len(shape) < rank:
                    x = self.xp.reshape(x, (self.level.size, *(1,) * (rank - len(shape)), *shape))
            out.append(x)
        return out

    def refuse(self, remedy: str, error: type[Exception] = ValueError) -> NoReturn:
        """Raise because the result for a batch is not an array."""
        raise error(f"{self.name} cannot be computed for each example of a batch by vmap: {remedy}")


def rule(*names: str, elementwise: bool = False) -> Callable[[Function], Function]:
    """Register `(call, *args, **kwargs)` for functions of any arguments."""

    def register(function: Function) -> Function:
        RULES.update({name: Rule(function, elementwise=elementwise) for name in names})
        return function

    return register


def unary(*names: str) -> Callable[[Function], Function]:
    """Register `(call, x, *args, **kwargs)` for functions of one array, where `x` is its value with the batch axis."""

    def register(function: Function) -> Function:
        @functools.wraps(function)
        def one(c: Call, x: Any, *args: Any, **kwargs: Any) -> Any:
            for name, a in (*enumerate(args, 1), *kwargs.items()):
                if c.batched(a):
                    c.refuse(f"argument {name!r} must be the same for all examples. Received: a batched array")
            return function(c, x.value, *args, **kwargs)

        RULES.update({name: Rule(one) for name in names})
        return function

    return register


def shared(*names: str) -> Callable[[Function], Function]:
    """Register `(call, *args, **kwargs)` for functions of shapes and dtypes: one result for all examples."""

    def register(function: Function) -> Function:
        RULES.update({name: Rule(function, opened=False) for name in names})
        return function

    return register


# Axes of one example, as axes of the batch


def moved(axis: int, rank: int) -> int:
    """An axis of one example, which has `rank` axes, as a positive axis of the batch.

    Raises:
        IndexError: There is no such axis.
    """
    if not -rank <= axis < rank:
        raise IndexError(f"axis {axis} is out of bounds for an array with {rank} axes. Received: axis={axis}")
    return axis % rank + 1


def moved_all(axis: Any, rank: int) -> tuple[int, ...]:
    """Some axes of one example, or all for None, as axes of the batch."""
    if axis is None:
        return tuple(range(1, rank + 1))
    return tuple(moved(a, rank) for a in (axis if isinstance(axis, (tuple, list)) else (axis,)))


def flattened(xp: Any, x: Any) -> Any:
    """Each example as a vector."""
    return xp.reshape(x, (x.shape[0], math.prod(x.shape[1:])))


def one_of(xp: Any, x: Any, axis: int | None) -> tuple[Any, int]:
    """The value and the axis of a function of one axis, for None of all elements."""
    if axis is None or x.ndim == 1:
        return flattened(xp, x), 1
    return x, moved(axis, x.ndim - 1)


def matrices(c: Call, x: Any, axes: int = 2) -> Any:
    """A value whose examples must have this many axes: the library would take the batch axis for one of them."""
    if x.ndim - 1 < axes:
        raise ValueError(f"{c.name} needs an array with at least {axes} axes. Received: shape {tuple(x.shape[1:])}")
    return x
