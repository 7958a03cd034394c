"""Further ways of calling functions of the standard: every axis, every order of a norm, axes of length 0 and 1.

Cases like those of `tests.autodiff.cases`, for values and first derivatives alone.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np

from tests.autodiff.cases import Case, case, cplx, positive, real, regular, spread, words

MORE: list[Case] = []
more = functools.partial(case, to=MORE)

# Norms along an axis, with and without it in the result

for order in (2, 1, 3, 0.5, 0, -1, -2, math.inf, -math.inf):
    more("linalg.vector_norm", spread(2, 3), ord=order, axis=0)
    more("linalg.vector_norm", spread(2, 3, 2), ord=order, axis=(2, 0), keepdims=True)
    more("linalg.vector_norm", spread(3, 1), ord=order, axis=1)
for order in ("fro", "nuc", 1, -1, 2, -2, math.inf, -math.inf):
    more("linalg.matrix_norm", real(2, 3, 2), ord=order, keepdims=True)
more("linalg.vector_norm", cplx(2, 3), ord=1, axis=0)
more("linalg.vector_norm", cplx(2, 3), ord=-math.inf, axis=1)

# Reductions: one element, none, and another axis than the last

for name in words("sum mean max min prod var std"):
    more(name, spread(3, 1), axis=1)
    more(name, spread(1, 3), axis=0, keepdims=True)
    more(name, spread(2, 3, 2), axis=-2)
    more(name, spread(2, 3, 2), axis=(0, -1))
for name in words("sum prod"):
    more(name, real(3, 0), axis=1)
    more(name, real(3, 0), axis=1, keepdims=True)
    more(name, real(2, 3), call=lambda xp, x, f=name: getattr(xp, f)(x, axis=0, dtype=xp.float64), label="dtype")
for name in words("var std"):
    more(name, spread(3, 4), axis=0, correction=1.0, keepdims=True)
more("prod", real(5), label="odd")
more("prod", real(2, 7, 2), axis=1, label="odd")
for name in words("cumulative_sum cumulative_prod"):
    more(name, real(2, 5), axis=-1)
    more(name, real(2, 5), axis=1, include_initial=True)
    more(name, real(2, 3, 2), axis=-2, include_initial=True)
    more(name, real(4), include_initial=True)
    more(name, real(3, 1), axis=1)
    more(name, real(3, 0), axis=1, include_initial=True)
    more(name, real(3), call=lambda xp, x, f=name: getattr(xp, f)(x, dtype=xp.float64), label="dtype")
more(
    "cumulative_prod", spread(9), call=lambda xp, x: xp.cumulative_prod(x * xp.astype(x != x[3], x.dtype)), label="zero"
)

# Creation

more("full", real(), call=lambda xp, a: xp.full(3, a), label="an integer for a shape")
more("full", real(), call=lambda xp, a: xp.full((), a), label="no axes")
more("full", real(), call=lambda xp, a: xp.full((2, 0), a), label="no elements")
more("full", real(), call=lambda xp, a: xp.full(2, a, dtype=xp.complex128), label="dtype")
more("full_like", real(), real(2, 3), call=lambda xp, a, x: xp.full_like(x, a, dtype=xp.complex128), label="dtype")
more("full_like", real(2, 3), call=lambda xp, x: xp.full_like(x, 2.5) * x, label="number")
more("linspace", real(), real(), call=lambda xp, a, b: xp.linspace(a, b, 1), label="one")
more("linspace", real(), real(), call=lambda xp, a, b: xp.linspace(a, b, 1, endpoint=False), label="one, open")
more("linspace", real(), real(), call=lambda xp, a, b: xp.linspace(a, b, 3, dtype=xp.complex128), label="dtype")
more("linspace", real(), call=lambda xp, a: xp.linspace(1.0, a, 4), label="stop")

# Manipulation

more("roll", real(2, 3), shift=-2)
more("roll", real(2, 3), shift=(1, -2), axis=(1, 0))
more("roll", real(3, 2), shift=1, axis=0)
more("flip", real(2, 3, 2), axis=(0, -1))
for name in words("tril triu"):
    more(name, real(3, 4))
    more(name, real(2, 4, 3), k=-2)
    more(name, real(3, 4), k=2)
more("squeeze", real(1, 2, 1), axis=(0, 2))
more("expand_dims", real(2, 3), axis=0)
more("moveaxis", real(2, 3, 4), call=lambda xp, x: xp.moveaxis(x, -1, 0))
more("moveaxis", real(2, 3, 4), call=lambda xp, x: xp.moveaxis(x, (0, 2), (1, -3)), label="pairs")
more("concat", real(2, 1), real(2, 2), real(2, 3), call=lambda xp, *xs: xp.concat(xs, axis=1), label="three")
more("concat", real(2, 1), real(3), real(2), call=lambda xp, *xs: xp.concat(xs, axis=None), label="three, flattened")
more("concat", real(2, 3), cplx(2, 3), call=lambda xp, x, y: xp.concat([x, y], axis=-2), label="complex")
more("stack", real(2, 3), real(2, 3), call=lambda xp, x, y: xp.stack([x, y]))
more("stack", real(2, 3), real(2, 3), call=lambda xp, x, y: xp.stack([x, y], axis=-2), label="inner axis")
more("unstack", real(2, 3), call=lambda xp, x: xp.unstack(x))
more("unstack", real(2, 3, 2), call=lambda xp, x: xp.unstack(x, axis=1), label="inner axis")
more("broadcast_arrays", real(2, 1), call=lambda xp, x: xp.broadcast_arrays(x), label="one")
more("meshgrid", real(3), call=lambda xp, x: xp.meshgrid(x), label="one")
more("meshgrid", real(2), real(3), real(4), call=lambda xp, *xs: xp.meshgrid(*xs), label="three")
more("meshgrid", real(2), real(3), real(4), call=lambda xp, *xs: xp.meshgrid(*xs, indexing="ij"), label="three, ij")
more("tile", real(2, 3), call=lambda xp, x: xp.tile(x, (2,)), label="fewer")
more("tile", real(3), call=lambda xp, x: xp.tile(x, (2, 2)), label="more")
more("repeat", real(2, 3), call=lambda xp, x: xp.repeat(x, 2, axis=0), label="rows")
more("diff", real(4, 3), axis=0)
more("diff", real(2, 5), n=0)
more("diff", real(2, 3, 5), axis=-2, n=2)
more("diff", real(2, 3), real(2, 1), call=lambda xp, x, y: xp.diff(x, prepend=y), label="before")
more("diff", real(2, 3), real(2, 1), call=lambda xp, x, y: xp.diff(x, append=y), label="after")

# Indexing

more("getitem", real(3, 4), call=lambda xp, x: x[..., 1], label="ellipsis")
more("getitem", real(3, 4), call=lambda xp, x: x[None, ..., None, 1], label="new axes")
more("getitem", real(3, 4), call=lambda xp, x: x[1:1, :], label="nothing")
more("take", real(3, 4), call=lambda xp, x: xp.take(x, _ints(xp, x, [2, -3, 2]), axis=0), label="rows")
more("take", real(2, 3, 2), call=lambda xp, x: xp.take(x, _ints(xp, x, [1, -1]), axis=-2), label="inner axis")
for axis, shape in ((0, (2, 4, 4)), (1, (3, 2, 4)), (-1, (3, 4, 2))):
    more(
        "take_along_axis",
        real(3, 4, 4),
        call=lambda xp, x, axis=axis, shape=shape: xp.take_along_axis(
            x, _ints(xp, x, np.arange(math.prod(shape)).reshape(shape) % 5 - 2), axis=axis
        ),
        label=f"axis {axis}",
    )


def _ints(xp: Any, x: Any, values: Any) -> Any:
    return xp.asarray(np.asarray(values).tolist(), dtype=xp.int64, device=getattr(x, "device", None))


# Sorting

more("sort", spread(2, 4), descending=True)
more("sort", spread(4, 2), axis=0)
more("sort", spread(2, 4, 2), axis=-2)

# Products

more("tensordot", real(2, 3), real(2, 3))
more("tensordot", real(2, 3, 4), real(4, 2), axes=((-1, 0), (0, -1)))
more("tensordot", real(2, 3, 4), real(3, 5), axes=((1,), (0,)))
more("vecdot", real(2, 3, 4), real(2, 3, 4), axis=-3)
more("vecdot", cplx(2, 3), real(2, 3))
more("matmul", real(1, 2, 3), real(4, 3, 2), label="batch of 1")
more("matmul", real(4, 2, 3), real(1, 3, 2), label="by a batch of 1")
more("matmul", real(3), real(2, 3, 2), label="vector, batches")
for n in (0, 1, 2, 3, 6, -1, -3):
    more("linalg.matrix_power", regular(2, 2), call=lambda xp, x, n=n: xp.linalg.matrix_power(x, n), label=str(n))
for offset in range(-5, 6):
    more("linalg.diagonal", real(3, 4), offset=offset)
    more("linalg.diagonal", real(2, 4, 3), offset=offset)
more("linalg.diagonal", real(3, 3))
more("linalg.trace", real(2, 4, 3), offset=-1)
more("linalg.trace", real(3, 4), call=lambda xp, x: xp.linalg.trace(x, dtype=xp.complex128), label="dtype")

# Factorisations of other shapes

for shape in ((2, 4, 3), (3, 4)):
    more("linalg.qr", real(*shape), call=lambda xp, x: xp.linalg.qr(x, mode="reduced"), label=str(shape))
    more("linalg.svd", real(*shape), call=lambda xp, x: xp.linalg.svd(x, full_matrices=False), label=str(shape))
more("linalg.svd", real(3, 3), label="square")
more("linalg.qr", real(3, 3), call=lambda xp, x: xp.linalg.qr(x, mode="complete"), label="complete")
more("linalg.eigh", real(3, 3), call=lambda xp, x: xp.linalg.eigh(x + xp.matrix_transpose(x)), label="container")
more("linalg.det", regular(4, 4), label="even")
more("linalg.det", real(1, 1), label="one")

# Sets, with the container of the library

for name in words("unique_all unique_counts unique_inverse"):
    more(name, spread(2, 3), label="container")

# Elementwise at other numbers

for exponent in (0, 1, 2, 3, -1, 0.5, 2.0, 0.0):
    more("pow", positive(3), call=lambda xp, x, n=exponent: x**n, label=f"to {exponent!r}")
for name in words("maximum minimum"):
    more(name, real(3), call=lambda xp, x, f=name: getattr(xp, f)(x, 0.05), label="number")
more("clip", spread(2, 3), call=lambda xp, x: xp.clip(x, max=0.13), label="max")
more("clip", spread(2, 3), real(3), call=lambda xp, x, high: xp.clip(x, None, high), label="array above")
