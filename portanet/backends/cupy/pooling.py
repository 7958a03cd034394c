"""Pooling over windows as one kernel each way, as overrides of `portanet.fused.pooling_plain`.

Each thread has one element of the result, and gathers what belongs to it: the elements of its window, or the windows
that an element is in. They come in a fixed order, so results are the same in every run.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

from portanet.backends.base import Array
from portanet.backends.cupy.rows import ACCUMULATED, contiguous, typed_kernel

RANK = 3
"""Spatial axes of the kernels; those of fewer come last, after others of size 1."""
SMALL = 64
"""Elements of windows that a kernel has as constants, so that its loops become straight code."""
LARGE = 2**31
"""Elements that indices of 32 bits do not tell apart; these are divided several times faster."""


def max_pool(x: Array, *, window: Any) -> Any:
    """The maximum over a window at each position."""
    return _of_windows(_maximum, x, window, -math.inf)


def window_sum(x: Array, *, window: Any) -> Any:
    """The sum over the window at each position."""
    return _of_windows(_sum, x, window)


def window_spread(g: Array, *, window: Any, space: tuple[int, ...]) -> Any:
    """The adjoint of `window_sum`."""
    return _of_inputs(_spread, window, space, g)


def to_maxima(g: Array, x: Array, y: Array, *, window: Any) -> Any:
    """Each g where x has the maximum y of its window."""
    return _of_inputs(_to_maxima, window, x.shape[1:-1], g, x, y, -math.inf)


OVERRIDES: dict[str, Callable[..., Any]] = {
    "max_pool": max_pool,
    "to_maxima": to_maxima,
    "window_spread": window_spread,
    "window_sum": window_sum,
}


def _of_windows(definition: Callable[..., Any], x: Array, window: Any, *numbers: float) -> Any:
    """An element for each position of the window."""
    return _launched(definition, window, x.shape[1:-1], window.positions(x.shape[1:-1]), x, *numbers)


def _of_inputs(definition: Callable[..., Any], window: Any, space: tuple[int, ...], *given: Any) -> Any:
    """An element for each one of the input, from arrays whose first has one for each position."""
    return _launched(definition, window, space, space, *given)


def _launched(
    definition: Callable[..., Any], window: Any, space: tuple[int, ...], result: tuple[int, ...], *given: Any
) -> Any:
    """The result of a kernel, whose spatial axes are of these sizes; NotImplemented where the kernels do not serve."""
    import cupy

    arrays, numbers = [a for a in given if hasattr(a, "dtype")], [a for a in given if not hasattr(a, "dtype")]
    first = arrays[0]
    shape = (first.shape[0], *result, first.shape[-1])
    if window.rank > RANK or first.dtype.name not in ACCUMULATED or any(a.dtype != first.dtype for a in arrays):
        return NotImplemented
    if 0 in shape or any(not a.size for a in arrays):
        return NotImplemented
    size, strides, dilation = (_filled(each) for each in (window.size, window.strides, window.dilation))
    largest = max(math.prod(shape), *(a.size for a in arrays))
    constant = size if math.prod(size) <= SMALL else None
    compute = definition(constant, strides, dilation, largest >= LARGE)(first.dtype.name)
    places = (*_filled(space), *_filled(window.positions(space)), *size)
    before = [b for b, _ in (((0, 0),) * (RANK - window.rank) + tuple(window.padding))]
    with first.device:
        out = cupy.empty(shape, dtype=first.dtype)
        compute(*contiguous(*arrays), *numbers, *places, *before, shape[-1], out)
    return out


def _filled(sizes: tuple[int, ...]) -> tuple[int, ...]:
    return (1,) * (RANK - len(sizes)) + tuple(sizes)


# The kernels. In their statements, n are the sizes of the input, p those of the positions, k those of the window, s the
# strides, d the dilation and b the padding before, of each axis.

_AXES = range(RANK)
_PARAMETERS = ", ".join(f"int32 {name}{a}" for name in ("n", "p", "m", "b") for a in _AXES) + ", int32 channels"


def _kernel(
    name: str,
    arrays: str,
    over: str,
    body: str,
    size: tuple[int, ...] | None,
    strides: tuple[int, ...],
    dilation: tuple[int, ...],
    wide: bool,
) -> Any:
    """A kernel whose elements are at the places of the input ("n") or at the positions ("p")."""
    constants = "\n".join(
        f"const int k{a} = {f'm{a}' if size is None else size[a]}, s{a} = {strides[a]}, d{a} = {dilation[a]};"
        for a in _AXES
    )
    coordinates = "\n".join(
        f"const int c{a} = (int)(rest % (Index){over}{a}); rest /= (Index){over}{a};" for a in reversed(_AXES)
    )
    return typed_kernel(
        f"{name}_{'_'.join(map(str, (*(size or ()), *strides, *dilation)))}",
        f"{arrays}, {_PARAMETERS}",
        "T out",
        f"""
        typedef {"unsigned long long" if wide else "unsigned int"} Index;
        {constants}
        Index rest = (Index)i;
        const Index channel = rest % (Index)channels;
        rest /= (Index)channels;
        {coordinates}
        const long long example = rest;
        {body}
        """,
    )


def _at(kind: str, place: str) -> str:
    """The index of an element of the input ("n") or of the positions ("p") of the same example and channel."""
    return f"(((example * {kind}0 + {place}0) * {kind}1 + {place}1) * {kind}2 + {place}2) * channels + channel"


def _loops(each: str, where: str) -> str:
    """Statements for each element of the window, in its order; `where` goes on to the next where there is nothing."""
    for a in reversed(_AXES):
        each = f"for (int e{a} = 0; e{a} < k{a}; ++e{a}) {{\n{where.replace('#', str(a))}\n{each}\n}}"
    return each


_INSIDE = "const int at# = c# * s# - b# + e# * d#; if (at# < 0 || at# >= n#) continue;"
"""For a position c, the place of the window's element e in the input."""
_REACHED = """
const int t# = c# + b# - e# * d#, q# = t# / s#;
if (t# < 0 || t# % s# != 0 || q# >= p#) continue;
"""
"""For a place c of the input, the position q whose element e it is."""


@functools.cache
def _maximum(*geometry: Any) -> Any:
    each = f"const A v = x[{_at('n', 'at')}]; top = v > top || v != v ? v : top;"
    body = f"A top = lowest;\n{_loops(each, _INSIDE)}\nout = (T)top;"
    return _kernel("max_pool", "raw T x, W lowest", "p", body, *geometry)


@functools.cache
def _sum(*geometry: Any) -> Any:
    each = f"sum += (A)x[{_at('n', 'at')}];"
    body = f"A sum = 0;\n{_loops(each, _INSIDE)}\nout = (T)sum;"
    return _kernel("window_sum", "raw T x", "p", body, *geometry)


@functools.cache
def _spread(*geometry: Any) -> Any:
    each = f"sum += (A)g[{_at('p', 'q')}];"
    body = f"A sum = 0;\n{_loops(each, _REACHED)}\nout = (T)sum;"
    return _kernel("window_spread", "raw T g", "n", body, *geometry)


@functools.cache
def _to_maxima(*geometry: Any) -> Any:
    """The first element of a window that equals its maximum has the cotangent; the last one, if no other does."""
    places = "\n".join(f"const int u{a} = q{a} * s{a} - b{a} + f{a} * d{a};" for a in _AXES)
    outside = " || ".join(f"u{a} < 0 || u{a} >= n{a}" for a in _AXES)
    each = f"""
    const long long q = {_at("p", "q")};
    const A top = y[q];
    const int e = (e0 * k1 + e1) * k2 + e2;
    bool hit = own == top || e == k0 * k1 * k2 - 1;
    for (int f = 0; hit && f < e; ++f) {{
        const int f2 = f % k2, f1 = f / k2 % k1, f0 = f / k2 / k1;
        {places}
        const A v = {outside} ? (A)lowest : (A)x[{_at("n", "u")}];
        hit = v != top;
    }}
    if (hit) sum += (A)g[q];
    """
    body = f"const A own = x[i];\nA sum = 0;\n{_loops(each, _REACHED)}\nout = (T)sum;"
    return _kernel("to_maxima", "raw T g, raw T x, raw T y, W lowest", "n", body, *geometry)
