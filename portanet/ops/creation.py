"""New arrays, and conversions."""

from __future__ import annotations

import math
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, special, storage, unwrap
from portanet.backends import Array, device_of, get_backend
from portanet.ops.conversion import ARRAY, HOST, kind_of, promoted
from portanet.ops.dtypes import find_dtype, float_dtype, floating
from portanet.ops.operation import Operand, operation


def sizes(shape: Any, of: str, least: int = 0) -> tuple[int, ...]:
    """A shape from a list of sizes, also of arrays of shape (), or from a single one."""
    values = tuple(shape) if hasattr(shape, "__len__") and not isinstance(shape, str) else (shape,)
    plain = [int(unwrap(n)) if kind_of(n) in (ARRAY, HOST) and unwrap(n).shape == () else n for n in values]
    return checks.integers("shape", plain, None, of, least=least) if plain else ()


def _filled(function: str, shape: Any, dtype: Any, of: str) -> Array:
    backend = get_backend()
    found = find_dtype(dtype, None, of)
    return getattr(backend.xp, function)(sizes(shape, of), dtype=found, device=backend.device)


@operation
def zeros(shape: Any, dtype: Any = None) -> Array:
    """An array of zeros.

    Args:
        shape: The shape; an integer for one axis.
        dtype: The dtype; None for the default floating-point dtype.

    Example:
        >>> zeros((2, 1))
        array([[0.],
               [0.]], dtype=float32)
    """
    return _filled("zeros", shape, dtype, "zeros")


@operation
def ones(shape: Any, dtype: Any = None) -> Array:
    """An array of ones; see `zeros`.

    Args:
        shape: The shape.
        dtype: Name of the dtype; by default the backend's floating-point one.

    Example:
        >>> ones((2, 3)).tolist()
        [[1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]
    """
    return _filled("ones", shape, dtype, "ones")


@operation
def empty(shape: Any, dtype: Any = None) -> Array:
    """An array whose values are undefined; see `zeros`.

    Args:
        shape: The shape.
        dtype: Name of the dtype; by default the backend's floating-point one.

    Example:
        >>> empty((2, 3)).shape
        (2, 3)
    """
    return _filled("empty", shape, dtype, "empty")


@operation
def full(shape: Any, fill_value: Operand, dtype: Any = None) -> Array:
    """An array with one value everywhere, or with an array broadcast to its shape.

    Args:
        shape: The shape.
        fill_value: The value.
        dtype: The dtype; None for that of the value, integers in the default floating-point dtype.

    Example:
        >>> full((2,), 7)
        array([7., 7.], dtype=float32)
    """
    xp = array_namespace(fill_value)
    value = floating(fill_value) if dtype is None else xp.astype(fill_value, find_dtype(dtype, fill_value, "full"))
    return xp.asarray(xp.broadcast_to(value, sizes(shape, "full")), copy=True)


@operation
def zeros_like(x: Array, dtype: Any = None) -> Array:
    """Zeros in the shape of an array, and in its dtype unless there is another.

    Example:
        >>> zeros_like([[1, 2]]).tolist()
        [[0, 0]]
    """
    return _like("zeros_like", x, dtype)


@operation
def ones_like(x: Array, dtype: Any = None) -> Array:
    """Ones in the shape of an array, and in its dtype unless there is another.

    Example:
        >>> ones_like([[1, 2]]).tolist()
        [[1, 1]]
    """
    return _like("ones_like", x, dtype)


@operation
def empty_like(x: Array, dtype: Any = None) -> Array:
    """An array in the shape of another, whose values are undefined.

    Example:
        >>> empty_like([[1.0, 2.0]]).shape
        (1, 2)
    """
    return _like("empty_like", x, dtype)


def _like(function: str, x: Array, dtype: Any) -> Array:
    return getattr(array_namespace(x), function)(x, dtype=x.dtype if dtype is None else find_dtype(dtype, x, function))


@operation
def full_like(x: Array, fill_value: Array, dtype: Any = None) -> Array:
    """An array in the shape and, unless there is another, the dtype of `x`, filled with a value.

    Args:
        x: An array.
        fill_value: The value.
        dtype: Name of the dtype; by default that of `x`.

    Example:
        >>> full_like([1.0, 2.0], 5)
        array([5., 5.], dtype=float32)
    """
    xp = array_namespace(fill_value, x)
    value = xp.astype(fill_value, x.dtype if dtype is None else find_dtype(dtype, x, "full_like"))
    return xp.asarray(xp.broadcast_to(value, x.shape), copy=True)


@operation
def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Array:
    """Numbers in steps, as by `range`; integers are int32.

    Args:
        start: The first number; with `start` alone, the numbers go from 0 to `start`.
        stop: The first number that is too large.
        step: The step; None for 1.
        dtype: The dtype; None for int32 if all three are integers, else the default floating-point dtype.

    Example:
        >>> arange(3)
        array([0, 1, 2], dtype=int32)
    """
    backend = get_backend()
    given = [x for x in (start, stop, step) if x is not None]
    found = find_dtype(dtype, None, "arange") if dtype is not None else promoted(*given)[0].dtype
    first, end = (0, start) if stop is None else (start, stop)
    low, high, by = _plain(first), _plain(end), 1 if step is None else _plain(step)
    if by == 0:
        raise checks.invalid("step", step, "a number that is not 0", "arange")
    return backend.xp.arange(low, high, by, dtype=found, device=backend.device)


def _plain(x: Any) -> Any:
    """An array of shape () as a Python number."""
    return unwrap(x).item() if hasattr(unwrap(x), "item") else (float(x) if kind_of(x) in (ARRAY, HOST) else x)


@operation
def linspace(
    start: Operand,
    stop: Operand,
    num: int = 50,
    endpoint: bool = True,
    retstep: bool = False,
    dtype: Any = None,
    axis: int = 0,
) -> Any:
    """Numbers at equal distances.

    Args:
        start: The first number, or an array of them.
        stop: The last number.
        num: How many.
        endpoint: Whether `stop` is the last one; else it is the first that is left out.
        retstep: Whether to return the distance as well.
        dtype: The dtype; None for a floating-point one.
        axis: Position of the new axis in the result.

    Example:
        >>> linspace(0, 1, 5)
        array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    checks.integer("num", num, "linspace", least=0)
    start, stop = floating(start), floating(stop)
    xp = array_namespace(start, stop)
    intervals = num - 1 if endpoint else num
    step = (stop - start) / intervals if intervals > 0 else (stop - start) * math.nan
    weights = xp.arange(num, dtype=start.dtype, device=device_of(storage(start)))
    weights = xp.reshape(weights, (num, *(1,) * len(step.shape)))
    values = start + weights * step if intervals > 0 else start + weights * (stop - start)
    if endpoint and num > 1:
        values = xp.where(weights == num - 1, stop, values)
    values = xp.moveaxis(values, 0, axis)
    values = values if dtype is None else xp.astype(values, find_dtype(dtype, values, "linspace"))
    return (values, step) if retstep else values


@operation
def logspace(
    start: Operand,
    stop: Operand,
    num: int = 50,
    endpoint: bool = True,
    base: float = 10,
    dtype: Any = None,
    axis: int = 0,
) -> Array:
    """`base` to the power of numbers at equal distances; see `linspace`.

    Args:
        start: Exponent of the first number.
        stop: Exponent of the last one.
        num: How many.
        endpoint: Whether the last one is included.
        base: The base.
        dtype: Name of the dtype.
        axis: Axis of the result along which numbers lie, if `start` and `stop` are arrays.

    Example:
        >>> logspace(0, 2, 3)
        array([  1.,  10., 100.], dtype=float32)
    """
    exponents = linspace(start, stop, num, endpoint, axis=axis)
    xp = array_namespace(exponents)
    values = xp.pow(xp.full_like(exponents, base), exponents)
    return values if dtype is None else xp.astype(values, find_dtype(dtype, values, "logspace"))


@operation
def geomspace(
    start: Operand, stop: Operand, num: int = 50, endpoint: bool = True, dtype: Any = None, axis: int = 0
) -> Array:
    """Numbers at equal ratios; see `linspace`.

    Args:
        start: First number.
        stop: Last number.
        num: How many.
        endpoint: Whether `stop` is the last one.
        dtype: Name of the dtype.
        axis: Axis of the result along which numbers lie, if `start` and `stop` are arrays.

    Example:
        >>> geomspace(1, 4, 3)
        array([1., 2., 4.], dtype=float32)
    """
    start, stop = floating(start), floating(stop)
    xp = array_namespace(start, stop)
    values = xp.sign(start) * xp.exp(linspace(xp.log(xp.abs(start)), xp.log(xp.abs(stop)), num, endpoint, axis=0))
    values = xp.moveaxis(values, 0, axis)
    return values if dtype is None else xp.astype(values, find_dtype(dtype, values, "geomspace"))


@operation
def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Array:
    """Ones on a diagonal, zeros elsewhere.

    Args:
        N: Number of rows.
        M: Number of columns; None for as many.
        k: The diagonal: 0 for the main one, positive above it.
        dtype: The dtype; None for the default floating-point dtype.

    Example:
        >>> eye(2, 3, k=1)
        array([[0., 1., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    backend = get_backend()
    return backend.xp.eye(N, M, k=k or 0, dtype=find_dtype(dtype, None, "eye"), device=backend.device)


@operation
def identity(n: int, dtype: Any = None) -> Array:
    """The identity matrix.

    Args:
        n: Number of rows and columns.
        dtype: Name of the dtype; by default the backend's floating-point one.

    Example:
        >>> identity(2)
        array([[1., 0.],
               [0., 1.]], dtype=float32)
    """
    return eye(n, dtype=dtype)


@operation
def tri(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Array:
    """Ones on and below a diagonal, zeros above; see `eye`.

    Args:
        N: Number of rows.
        M: Number of columns; by default that of rows.
        k: The highest diagonal of ones.
        dtype: Name of the dtype; by default the backend's floating-point one.

    Example:
        >>> tri(2).tolist()
        [[1.0, 0.0], [1.0, 1.0]]
    """
    xp = get_backend().xp
    return xp.tril(ones((N, M or N), dtype), k=k)


def _window(x: Array, values: Any) -> Array:
    """A window of as many values as the integer `x`, by a function of their fractions of the way from 0 to 1."""
    n = int(unwrap(x))
    backend = get_backend()
    dtype = float_dtype(backend.xp)
    steps = backend.xp.arange(n, dtype=dtype, device=backend.device)
    return values(backend.xp, steps / (n - 1)) if n > 1 else backend.xp.ones(n, dtype=dtype, device=backend.device)


@operation
def bartlett(x: Array) -> Array:
    """Triangular window of `x` values.

    Example:
        >>> bartlett(5)
        array([0. , 0.5, 1. , 0.5, 0. ], dtype=float32)
    """
    return _window(x, lambda xp, t: 1 - xp.abs(2 * t - 1))


@operation
def hanning(x: Array) -> Array:
    """Hann window of `x` values: `0.5 - 0.5 cos`.

    Example:
        >>> hanning(3).round(2)
        array([0., 1., 0.], dtype=float32)
    """
    return _window(x, lambda xp, t: 0.5 - 0.5 * xp.cos(2 * math.pi * t))


@operation
def hamming(x: Array) -> Array:
    """Hamming window of `x` values: `0.54 - 0.46 cos`.

    Example:
        >>> hamming(3).round(2)
        array([0.08, 1.  , 0.08], dtype=float32)
    """
    return _window(x, lambda xp, t: 0.54 - 0.46 * xp.cos(2 * math.pi * t))


@operation
def blackman(x: Array) -> Array:
    """Blackman window of `x` values: `0.42 - 0.5 cos + 0.08 cos`.

    Example:
        >>> blackman(5)[2:].round(2)
        array([ 1.  ,  0.34, -0.  ], dtype=float32)
    """
    return _window(x, lambda xp, t: 0.42 - 0.5 * xp.cos(2 * math.pi * t) + 0.08 * xp.cos(4 * math.pi * t))


@operation
def kaiser(x: Array, beta: float) -> Array:
    """Kaiser window of `x` values with the shape `beta`.

    Args:
        x: Number of points.
        beta: Shape of the window.

    Example:
        >>> kaiser(3, 5.0).round(4)
        array([0.0367, 1.    , 0.0367], dtype=float32)
    """
    whole = special.i0(ones((), None) * beta)
    return _window(
        x, lambda xp, t: special.i0(beta * xp.sqrt(xp.maximum(1 - (2 * t - 1) ** 2, xp.zeros_like(t)))) / whole
    )
