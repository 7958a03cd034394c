"""Declaration of functions of matrices that the standard lacks, and checks of their arguments.

Each is a primitive: `function(*arrays, **options)` computes with plain arrays, rules give its derivatives. Arrays are
stacks of matrices, whose leading axes broadcast, so one batching rule serves all.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from portanet.autodiff.batching.array import tangent_value
from portanet.autodiff.batching.declare import Call, find
from portanet.autodiff.batching.declare import rule as batching_rule
from portanet.autodiff.dispatch import Factory, fit
from portanet.autodiff.rules.declare import PRIMITIVES, pushed, rule
from portanet.autodiff.special.declare import device_of, namespace_of
from portanet.autodiff.tracing import is_array, lifted
from portanet.backends import Array


def matrix_primitive(
    name: str,
    function: Callable[..., Any],
    pulls: tuple[Factory, ...],
    pushes: tuple[Factory, ...],
    variadic: bool = False,
) -> None:
    """Declare `function` as the primitive `name`, with rules as in `portanet/autodiff/rules/`.

    Rules get arrays of one namespace; pulls are fitted to their operands.
    """
    PRIMITIVES[name] = lambda raw, *arrays, **options: function(*arrays, **options)
    rule(name, tuple(_fitted(p, i) for i, p in enumerate(pulls)), tuple(map(_pushing, pushes)), variadic)
    batching_rule(name)(_stacked)


def declare_pushed(name: str, function: Callable[..., Any], push: Factory) -> None:
    """Declare a primitive of one array whose pull is the transpose of its push, by recording it."""
    PRIMITIVES[name] = lambda raw, x: function(x)
    pushed(name)(push)
    batching_rule(name)(_stacked)


def _stacked(c: Call, *arrays: Any, **options: Any) -> Any:
    return c(*c.aligned(*arrays), **options)


def _fitted(pull: Factory, index: int) -> Factory:
    def factory(xp: Any, ans: Any, *arrays: Any, **options: Any) -> Callable[[Any], Any]:
        operand = arrays[options.get("index", index)]
        shape, dtype = operand.shape, operand.dtype
        inner = pull(xp, *(lifted(xp, a) for a in (ans, *arrays)), **options)
        return lambda g: tangent_value(fit(xp, inner(lifted(xp, g)), shape, dtype))

    return factory


def _pushing(push: Factory) -> Factory:
    def factory(xp: Any, ans: Any, *arrays: Any, **options: Any) -> Callable[[Any], Any]:
        inner = push(xp, *(lifted(xp, a) for a in (ans, *arrays)), **options)
        return lambda t: tangent_value(inner(lifted(xp, t)))

    return factory


def call(name: str, *arrays: Any, **options: Any) -> Any:
    """Call a primitive, recorded if an array is traced."""
    return find(namespace_of(*arrays), name)(*arrays, **options)


# Arguments


def inexact(function: str, **arguments: Any) -> tuple[Any, ...]:
    """The namespace of some arrays, and each of them in their common floating-point dtype.

    Integers become arrays of the default dtype if there is no floating-point array.

    Raises:
        TypeError: One is no array, or one of booleans.
    """
    for parameter, x in arguments.items():
        if not is_array(x):
            raise TypeError(
                f"Argument `{parameter}` of linalg.{function} must be an array of numbers, such as "
                f"portanet.asarray({parameter}). Received: {x!r}"
            )
    xp = namespace_of(*arguments.values())
    floating = ("real floating", "complex floating")
    dtypes = [x.dtype for x in arguments.values() if xp.isdtype(x.dtype, floating)]
    info = xp.__array_namespace_info__()
    dtype = functools.reduce(xp.result_type, dtypes) if dtypes else info.default_dtypes()["real floating"]
    for parameter, x in arguments.items():
        if xp.isdtype(x.dtype, "bool"):
            raise TypeError(
                f"Argument `{parameter}` of linalg.{function} must be an array of numbers. Received: dtype {x.dtype}"
            )
    return xp, *(x if x.dtype == dtype else xp.astype(x, dtype) for x in arguments.values())


def require_square(function: str, **arguments: Any) -> None:
    """Raise a ValueError if an array is not a stack of square matrices."""
    for parameter, x in arguments.items():
        if x.ndim < 2 or x.shape[-1] != x.shape[-2]:
            raise ValueError(
                f"Argument `{parameter}` of linalg.{function} must be a square matrix, or a stack of them with shape "
                f"(..., n, n). Received: shape {tuple(x.shape)}"
            )


def square(function: str, **argument: Any) -> tuple[Any, Any]:
    """The namespace of an array of square matrices, and the array in a floating-point dtype."""
    xp, x = inexact(function, **argument)
    require_square(function, **dict.fromkeys(argument, x))
    return xp, x


def matrices(function: str, **argument: Any) -> tuple[Any, Any]:
    """Likewise of matrices of any shape."""
    xp, x = inexact(function, **argument)
    if x.ndim < 2:
        (parameter,) = argument
        raise ValueError(
            f"Argument `{parameter}` of linalg.{function} must have shape (..., m, n). Received: shape {tuple(x.shape)}"
        )
    return xp, x


def right_side(function: str, size: int, b: Any) -> tuple[Any, bool]:
    """The right side of a linear system of this size as a stack of matrices, and whether it is a single vector."""
    vector = b.ndim == 1
    if not b.ndim or b.shape[0 if vector else -2] != size:
        raise ValueError(
            f"Argument `b` of linalg.{function} must have shape ({size},) or (..., {size}, k), to fit the matrix. "
            f"Received: shape {tuple(b.shape)}"
        )
    return (b[:, None], True) if vector else (b, False)


def flag(function: str, parameter: str, value: Any) -> bool:
    """An option that is True or False."""
    if not isinstance(value, (bool, int)):
        raise TypeError(f"Argument `{parameter}` of linalg.{function} must be True or False. Received: {value!r}")
    return bool(value)


# Matrices


def eye(xp: Any, x: Array) -> Any:
    """The identity matrix of the size of `x`."""
    return xp.eye(x.shape[-1], dtype=x.dtype, device=device_of(x))


def one_norm(xp: Any, x: Any) -> Any:
    """The largest sum of absolute values in a column, with two axes of length 1."""
    return xp.max(xp.sum(xp.abs(x), axis=-2, keepdims=True), axis=-1, keepdims=True)
