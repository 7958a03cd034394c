"""Normalisation as few kernels, as overrides of `portanet.fused.normalization`.

Only mean and variance are stored for the backward pass. An array is seen as four axes (examples, places, groups,
members): mean and variance are of the places and members of each example and group, scale and offset of each group and
member. In layer normalisation members alone are more than one, or examples, too; in batch normalisation there is one
example and one member.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from portanet.backends.base import Array
from portanet.backends.cupy.rows import contiguous, launch, row_kernel
from portanet.backends.cupy.sums import LEAST, sum_leading

LONG, FEW = 2**15, 256
"""Rows of more elements, fewer than so many, are left to CuPy: a block of threads for each would not fill the GPU."""
NEAR = 8
"""Members from which on a row's elements are near enough to each other in memory."""
THREADS = 2**16
"""About as many threads sum up columns."""


def normalize(
    x: Array, *affine: Array, axes: tuple[int, ...], epsilon: float, scale: bool = False, offset: bool = False
) -> Any:
    """As the op of that name."""
    view = _view(x, affine, axes)
    if view is None:
        return NotImplemented
    x, *affine = contiguous(x, *affine)  # type: ignore[assignment]
    gamma, beta = affine[0] if scale else None, affine[-1] if offset else None
    out, mean, variance, rstd = (_by_columns if _is_batch(view) else _by_rows)(x, gamma, beta, view, epsilon)
    shape = tuple(1 if a in axes else n for a, n in enumerate(x.shape))
    size = view[1] * view[3]

    def pullback(cotangents: tuple[Array | None, ...]) -> Any:
        import cupy

        g, g_mean, g_variance = cotangents
        dx, rest = None, (None,) * len(affine)
        if g is not None:
            dx, rest = _backward(g, x, mean, rstd, gamma, beta, view, affine)
        for term in (
            None if g_mean is None else cupy.broadcast_to(g_mean / size, x.shape),
            None if g_variance is None else g_variance * (2 / size) * (x - mean.reshape(shape)),
        ):
            if term is not None:
                dx = term if dx is None else dx + term
        return dx, *rest

    return (out, mean.reshape(shape), variance.reshape(shape)), pullback


def rms_normalize(x: Array, *affine: Array, axes: tuple[int, ...], epsilon: float) -> Any:
    """As the op of that name, over the last axes."""
    view = _view(x, affine, axes)
    if view is None or _is_batch(view):
        return NotImplemented
    x, *affine = contiguous(x, *affine)  # type: ignore[assignment]
    gamma = affine[0] if affine else None
    out, _, _, rstd = _by_rows(x, gamma, None, view, epsilon, centered=False)

    def pullback(g: Array) -> Any:
        dx, rest = _backward(g, x, None, rstd, gamma, None, view, affine)
        return dx, *rest

    return out, pullback


OVERRIDES: dict[str, Callable[..., Any]] = {"normalize": normalize, "rms_normalize": rms_normalize}


def _view(x: Array, affine: tuple[Array, ...], axes: tuple[int, ...]) -> tuple[int, int, int, int] | None:
    """The sizes of the four axes; None where the kernels do not serve."""
    n, shape = x.ndim, x.shape
    if x.dtype.char not in "fd" or not x.size or any(v.dtype != x.dtype for v in affine) or not axes:
        return None
    if axes == tuple(range(n - len(axes), n)):
        view = (math.prod(shape[: axes[0]]), 1, 1, math.prod(shape[axes[0] :]))
        member = (*(1,) * axes[0], *shape[axes[0] :])
    elif axes == tuple(range(n - 1)):
        view, member = (1, math.prod(shape[:-1]), shape[-1], 1), (*(1,) * (n - 1), shape[-1])
    elif axes == (*range(1, n - 2), n - 1) and shape[-1] >= NEAR:
        view, member = (shape[0], math.prod(shape[1:-2]), *shape[-2:]), (*(1,) * (n - 2), *shape[-2:])
    else:
        return None
    few = not _is_batch(view) and view[1] * view[3] > LONG and view[0] * view[2] < FEW
    return None if few or any(v.shape != member for v in affine) else view


def _is_batch(view: tuple[int, int, int, int]) -> bool:
    return view[0] == view[3] == 1 and view[1] > 1


def _by_rows(
    x: Array, gamma: Any, beta: Any, view: tuple[int, int, int, int], epsilon: float, centered: bool = True
) -> tuple[Array, ...]:
    """The result, and for each row the mean, the variance and the factor, `1 / sqrt(variance + epsilon)`."""
    import cupy

    examples, places, groups, members = view
    rows = examples * groups
    with x.device:
        out, mean, variance, rstd = cupy.empty_like(x), *(cupy.empty(rows, dtype=x.dtype) for _ in range(3))
        kernel = _forward(centered, gamma is not None, beta is not None, places > 1)
        given = [x, *(v for v in (gamma, beta) if v is not None), epsilon, groups, members]
        launch(kernel, x.dtype, rows, places * members, *given, out, mean, variance, rstd)
    return out, mean, variance, rstd


def _by_columns(x: Array, gamma: Any, beta: Any, view: tuple[int, int, int, int], epsilon: float) -> tuple[Array, ...]:
    """As `_by_rows` for batch normalisation: statistics of parts of each column, then of columns, then the result."""
    import cupy

    _, rows, columns, _ = view
    with x.device:
        step = max(LEAST, -(-rows * columns // THREADS))
        chunks = -(-rows // step)
        means, squares = (cupy.empty((columns, chunks), dtype=x.dtype) for _ in range(2))
        _parts_of_columns()(x, rows, columns, step, means, squares, size=columns * chunks)
        mean, variance, rstd = (cupy.empty(columns, dtype=x.dtype) for _ in range(3))
        launch(_statistics, x.dtype, columns, chunks, means, squares, rows, step, epsilon, mean, variance, rstd)
        one, zero = x.dtype.type(1), x.dtype.type(0)
        out = _normalized()(
            x.reshape(rows, columns),
            *(mean, rstd),
            one if gamma is None else gamma.reshape(-1),
            zero if beta is None else beta.reshape(-1),
        )
    return out.reshape(x.shape), mean, variance, rstd


def _backward(
    g: Array,
    x: Array,
    mean: Array | None,
    rstd: Array,
    gamma: Any,
    beta: Any,
    view: tuple[int, int, int, int],
    affine: Any,
) -> tuple[Array, tuple[Any, ...]]:
    """Cotangents of the input, and of scale and offset."""
    import cupy

    examples, places, groups, members = view
    (g,) = contiguous(g)

    @functools.cache
    def sums() -> Array:
        """By group and member, the sum of `g` and of `g` times the normalised values."""
        rows, columns = examples * places, groups * members
        step = max(LEAST, -(-rows * columns // THREADS))
        chunks = -(-rows // step)
        with x.device:
            parts = cupy.empty((chunks, 2, columns), dtype=x.dtype)
            _parts_of_sums()(
                *(g, x, rstd if mean is None else mean, rstd, int(mean is not None)),
                *(rows, columns, step, places, groups, members, parts),
                size=chunks * columns,
            )
            return sum_leading(parts, 1, False)

    rest: list[Any] = []
    if gamma is not None:
        rest.append(lambda: sums()[1].reshape(affine[0].shape))
    if beta is not None:
        rest.append(lambda: sums()[0].reshape(affine[-1].shape))
    with x.device:
        if _is_batch(view):
            factor = x.dtype.type(1) if gamma is None else gamma.reshape(-1)
            flat = (places, groups)
            dx = _slope()(g.reshape(flat), x.reshape(flat), mean, rstd, factor, *sums(), x.dtype.type(1 / places))
            return dx.reshape(x.shape), tuple(rest)
        dx = cupy.empty_like(x)
        given = [g, x, *([] if mean is None else [mean]), rstd, *([] if gamma is None else [gamma]), groups, members]
        kernel = _backward_of_rows(mean is not None, gamma is not None, places > 1)
        launch(kernel, x.dtype, examples * groups, places * members, *given, dx)
    return dx, tuple(rest)


# Where the elements of a row are, and their scale and offset: members are neighbours, places are apart


def _addressed(spread: bool) -> str:
    if not spread:
        return "#define AT(c) (at + (c))\n#define MEMBER(c) (c)\n"
    return """
    const long long first = row / groups * groups * columns + row % groups * members;
    const int width = (int)members;
    #define AT(c) (first + (int)(c) / width * (groups * members) + (int)(c) % width)
    #define MEMBER(c) (row % groups * members + (int)(c) % width)
    """


@functools.cache
def _forward(centered: bool, scale: bool, offset: bool, spread: bool) -> Any:
    affine = f"{' * (A)gamma[MEMBER(c)]' * scale}{' + (A)beta[MEMBER(c)]' * offset}"
    mean = "EACH(c) center += (A)x[AT(c)]; center = total(center) / columns;" if centered else ""
    return row_kernel(
        f"normalize_{centered:d}{scale:d}{offset:d}{spread:d}",
        f"raw T x, {'raw T gamma, ' * scale}{'raw T beta, ' * offset}W epsilon, int64 groups, int64 members",
        "raw T out, raw T mean, raw T variance, raw T rstd",
        f"""
        {_addressed(spread)}
        A center = 0, square = 0;
        {mean}
        EACH(c) {{ const A d = (A)x[AT(c)] - center; square += d * d; }}
        square = total(square) / columns;
        const A factor = A(1) / sqrt(square + (A)epsilon);
        EACH(c) out[AT(c)] = (T)(((A)x[AT(c)] - center) * factor{affine});
        if (threadIdx.x == 0) {{ mean[row] = (T)center; variance[row] = (T)square; rstd[row] = (T)factor; }}
        """,
    )


@functools.cache
def _backward_of_rows(centered: bool, scale: bool, spread: bool) -> Any:
    gamma = " * (A)gamma[MEMBER(c)]" * scale
    return row_kernel(
        f"normalize_slope_{centered:d}{scale:d}{spread:d}",
        f"raw T g, raw T x, {'raw T mean, ' * centered}raw T rstd, {'raw T gamma, ' * scale}int64 groups, "
        "int64 members",
        "raw T dx",
        f"""
        {_addressed(spread)}
        const A center = {"(A)mean[row]" if centered else "0"}, factor = rstd[row];
        A mean_g = 0, mean_gy = 0;
        EACH(c) {{
            const A h = (A)g[AT(c)]{gamma};
            mean_g += h;
            mean_gy += h * (((A)x[AT(c)] - center) * factor);
        }}
        mean_g = {"total(mean_g) / columns" if centered else "0"};
        mean_gy = total(mean_gy) / columns;
        EACH(c) {{
            const A h = (A)g[AT(c)]{gamma}, y = ((A)x[AT(c)] - center) * factor;
            dx[AT(c)] = (T)(factor * (h - mean_g - y * mean_gy));
        }}
        """,
    )


# Batch normalisation: neighbouring threads have neighbouring columns


@functools.cache
def _parts_of_columns() -> Any:
    """Mean of some rows of each column, and sum of squared differences from it. Sums of differences from the first row
    need one pass, and lose no digits to a large mean.
    """
    import cupy

    return cupy.ElementwiseKernel(
        "raw T x, int64 rows, int64 columns, int64 step",
        "raw T means, raw T squares",
        """
        const long long column = i % columns, chunk = i / columns, first = chunk * step;
        const long long last = first + step < rows ? first + step : rows, chunks = (rows + step - 1) / step;
        const T start = x[first * columns + column];
        T sum = 0, square = 0;
        for (long long row = first; row < last; ++row) {
            const T d = x[row * columns + column] - start;
            sum += d;
            square += d * d;
        }
        const T count = last - first, mean = sum / count;
        means[column * chunks + chunk] = start + mean;
        const T rest = square - sum * mean;
        squares[column * chunks + chunk] = rest < 0 ? T(0) : rest;
        """,
        "portanet_parts_of_columns",
    )


_statistics = row_kernel(
    "statistics",
    "raw T means, raw T squares, int64 rows, int64 step, W epsilon",
    "raw T mean, raw T variance, raw T rstd",
    """
    #define COUNT(c) (A)((c) + 1 < columns ? step : rows - (c) * step)
    A center = 0, square = 0;
    const A first = means[at];
    EACH(c) center += COUNT(c) * ((A)means[at + c] - first);
    center = first + total(center) / rows;
    EACH(c) { const A d = (A)means[at + c] - center; square += (A)squares[at + c] + COUNT(c) * d * d; }
    square = total(square) / rows;
    if (threadIdx.x == 0) {
        mean[row] = (T)center;
        variance[row] = (T)square;
        rstd[row] = (T)(A(1) / sqrt(square + (A)epsilon));
    }
    """,
)


@functools.cache
def _normalized() -> Any:
    import cupy

    return cupy.ElementwiseKernel(
        "T x, T mean, T rstd, T gamma, T beta",
        "T out",
        "out = (x - mean) * rstd * gamma + beta;",
        "portanet_normalized",
    )


@functools.cache
def _parts_of_sums() -> Any:
    import cupy

    return cupy.ElementwiseKernel(
        "raw T g, raw T x, raw T mean, raw T rstd, int64 centered, int64 rows, int64 columns, int64 step, "
        "int64 places, int64 groups, int64 members",
        "raw T parts",
        """
        const long long column = i % columns, chunk = i / columns, first = chunk * step;
        const long long last = first + step < rows ? first + step : rows;
        const long long example = first / places;
        long long next = (example + 1) * places, statistic = example * groups + column / members;
        T sum = 0, product = 0;
        for (long long row = first; row < last; ++row) {
            if (row == next) { next += places; statistic += groups; }
            const long long at = row * columns + column;
            const T value = g[at], d = x[at] - (centered ? mean[statistic] : T(0));
            sum += value;
            product += value * (d * rstd[statistic]);
        }
        parts[2 * chunk * columns + column] = sum;
        parts[(2 * chunk + 1) * columns + column] = product;
        """,
        "portanet_parts_of_sums",
    )


@functools.cache
def _slope() -> Any:
    import cupy

    return cupy.ElementwiseKernel(
        "T g, T x, T mean, T rstd, T gamma, T sum_g, T sum_gy, T share",
        "T dx",
        "dx = gamma * rstd * (g - sum_g * share - (x - mean) * rstd * (sum_gy * share));",
        "portanet_normalized_slope",
    )
