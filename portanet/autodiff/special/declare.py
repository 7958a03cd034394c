"""Declaration of special functions, by their definitions in the standard.

`@special` declares a function with a derivative of its own: a rule `special.NAME` in
`portanet/autodiff/rules/special.py`. Values come from the array library where it has the function
(`Backend.overrides`), else from the definition. `@composed` declares a function of other functions, which are
differentiated.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any, TypeVar, cast

from portanet import backends
from portanet.autodiff.batching.array import BatchedArray
from portanet.autodiff.traced import TracedArray, unwrap
from portanet.autodiff.tracing import SCALARS, is_array, lifted, require_same
from portanet.backends import Array, elementwise, overridable, raw_namespace
from portanet.tree import tree_map

EULER = 0.57721566490153286061
F = TypeVar("F", bound=Callable[..., Any])
VALUES: dict[str, Callable[..., Any]] = {}
"""By name: the function on plain arrays of one dtype."""


def special(definition: F) -> F:
    """Declare a special function of real arrays, which broadcast, with a rule of its own.

    The definition gets arrays of one floating-point dtype of at least 32 bits, not traced. The declared function also
    takes integers and Python numbers (if one argument is an array), half precision and traced arrays.
    """
    name = definition.__name__
    signature = inspect.signature(definition)
    parameters = list(signature.parameters)
    values = overridable(in_single(definition))
    if len(parameters) == 1:
        values = elementwise(values)
    VALUES[name] = values

    @functools.wraps(definition)
    def function(*args: Any, **kwargs: Any) -> Any:
        xp, arrays = promoted(name, parameters, _by_position(signature, args, kwargs))
        if any(type(a) is TracedArray for a in arrays):
            return xp.special.recorded(name)(*arrays)
        if any(isinstance(a, BatchedArray) for a in arrays):
            xp = xp.differentiable()
            return xp.special.recorded(name)(*(lifted(xp, a) for a in arrays))._value
        return values(*arrays)

    return cast(F, function)


def composed(definition: F) -> F:
    """Declare a special function of real arrays by other functions; its definition may get traced arrays."""
    name = definition.__name__
    signature = inspect.signature(definition)
    parameters = list(signature.parameters)

    @functools.wraps(definition)
    def function(*args: Any, **kwargs: Any) -> Any:
        xp, arrays = promoted(name, parameters, _by_position(signature, args, kwargs))
        if any(type(a) is TracedArray for a in arrays):
            for a in arrays:
                require_same(xp, a)
            arrays = [lifted(xp, a) for a in arrays]  # array-api-strict refuses `plain * traced`
        return definition(*arrays)

    return cast(F, function)


def _by_position(signature: inspect.Signature, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...]:
    """All arguments of a call by position."""
    if kwargs or len(args) != len(signature.parameters):
        return signature.bind(*args, **kwargs).args
    return args


def in_single(function: Callable[..., Any]) -> Callable[..., Any]:
    """Half precision is computed in single."""

    @functools.wraps(function)
    def compute(*arrays: Array, **options: Any) -> Any:
        dtype = arrays[0].dtype
        xp = raw_namespace(arrays[0])
        if xp.finfo(dtype).bits >= 32:
            return function(*arrays, **options)
        out = function(*(xp.astype(a, xp.float32) for a in arrays), **options)
        return tree_map(lambda x: xp.astype(x, dtype) if x.dtype == xp.float32 else x, out)

    return compute


def namespace_of(*arrays: Array) -> Any:
    """The namespace to compute with; see `portanet.autodiff.array_namespace`."""
    spaces = [x._xp for x in arrays if type(x) is TracedArray]
    if not spaces:
        return raw_namespace(next((x for x in arrays if isinstance(x, BatchedArray)), arrays[0]))
    return next((xp for xp in spaces if xp.batched), spaces[0])


def promoted(name: str, parameters: list[str], args: tuple[Any, ...]) -> tuple[Any, list[Any]]:
    """The namespace of the arguments, and all of them as arrays of one floating-point dtype.

    Integers become arrays of the default dtype if there is no floating-point array.

    Raises:
        TypeError: An argument is neither an array nor a number, none is an array, or one is complex.
    """
    arrays = [a for a in args if is_array(a)]
    for parameter, a in zip(parameters, args, strict=True):
        if not is_array(a) and (type(a) not in SCALARS or isinstance(a, complex)):
            raise TypeError(
                f"Argument `{parameter}` of special.{name} must be an array of real numbers, such as "
                f"portanet.asarray(x), or a real number beside an array. Received: {a!r}"
            )
    if not arrays:
        raise TypeError(
            f"One argument of special.{name} must be an array, which says where to compute: wrap a number by "
            f"portanet.asarray(x). Received: {', '.join(map(repr, args))}"
        )
    # NumPy's scalars are arrays, but beside an array of another library they are Python numbers.
    first = next((a for a in arrays if not isinstance(a, float)), arrays[0])
    xp = namespace_of(*(a for a in arrays if isinstance(a, (TracedArray, BatchedArray))), first)
    floating = []
    for parameter, a in zip(parameters, args, strict=True):
        if is_array(a) and (a is first or not isinstance(a, float)):
            if xp.isdtype(a.dtype, "complex floating"):
                raise TypeError(
                    f"Argument `{parameter}` of special.{name} must be real: complex numbers are not supported. "
                    f"Received: an array of dtype {a.dtype}"
                )
            if xp.isdtype(a.dtype, "real floating"):
                floating.append(a.dtype)
    if len(args) == 1 and floating:
        return xp, list(args)
    dtype = functools.reduce(xp.result_type, floating) if floating else _default_dtype(xp)
    device = device_of(first)
    return xp, [_as_array(xp, a, dtype, device, first) for a in args]


def _as_array(xp: Any, x: Any, dtype: Any, device: Any, first: Array) -> Any:
    if not is_array(x) or (isinstance(x, float) and x is not first):
        return xp.full((), float(x), dtype=dtype, device=device)
    return x if x.dtype == dtype else xp.astype(x, dtype)


def _default_dtype(xp: Any) -> Any:
    return xp.__array_namespace_info__().default_dtypes()["real floating"]


def device_of(x: Array) -> Any:
    """The device that an array is on, traced or not."""
    return backends.device_of(unwrap(x))


def value(x: Array) -> Any:
    """`x` as a constant."""
    return x._xp.stop_gradient(x) if type(x) is TracedArray else x


def either(xp: Any, condition: Array, yes: float, no: float, like: Array) -> Any:
    """Two numbers, chosen by a condition, in the dtype of `like`; `where` takes one number."""
    return xp.where(condition, xp.full_like(like, yes), no)


def polynomial(x: Array, coefficients: tuple[float, ...]) -> Array:
    """The polynomial with these coefficients, highest power first."""
    y = x * coefficients[0] + coefficients[1]
    for c in coefficients[2:]:
        y = y * x + c
    return y
