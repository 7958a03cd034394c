"""array_api_extra, all of its functions."""

from __future__ import annotations

import array_api_extra as xpx
import numpy as np

from tests.third_party.gradients import Cases, integers, namespace

CASES: Cases = {
    "angle": lambda x: xpx.angle(x + 1j * x**2),
    "apply_where": lambda x: xpx.apply_where(x > 1, x, lambda v: v**2, lambda v: v**3),
    "apply_where with a value": lambda x: xpx.apply_where(x > 1, (x, x + 1), lambda v, w: v * w, fill_value=0.5),
    "argpartition": lambda x: xpx.argpartition(x, 2, axis=1),
    "at.set": lambda x: part(x).set(x[0, 1]),
    "at.add": lambda x: part(x).add(x[0, 1]),
    "at.subtract": lambda x: part(x).subtract(x[0, 1]),
    "at.multiply": lambda x: part(x).multiply(x[0, 1]),
    "at.divide": lambda x: part(x).divide(x[0, 1]),
    "at.power": lambda x: part(x).power(x[0, 1]),
    "at.min": lambda x: part(x).min(x[0, 1]),
    "at.max": lambda x: part(x).max(x[0, 1]),
    "at with a mask": lambda x: xpx.at(x, x > 1).set(0.5),
    "at with a mask, in place": lambda x: xpx.at(x**2, x > 1).multiply(2.0, copy=False),
    "at, a copy": lambda x: xpx.at(x, (0, 0)).add(x[1, 1], copy=True) * x,
    "atleast_nd": lambda x: xpx.atleast_nd(x, ndim=3) ** 2,
    "broadcast_shapes": lambda x: x * len(xpx.broadcast_shapes(x.shape, (1,))),
    "cov": xpx.cov,
    "create_diagonal": lambda x: xpx.create_diagonal(x[0, :], offset=1),
    "default_dtype": lambda x: namespace(x).astype(x, xpx.default_dtype(namespace(x))),
    "deg2rad": xpx.deg2rad,
    "rad2deg": xpx.rad2deg,
    "diag_indices": lambda x: x[xpx.diag_indices(4, xp=namespace(x))],
    "tril_indices": lambda x: x[xpx.tril_indices(4, xp=namespace(x))],
    "triu_indices": lambda x: x[xpx.triu_indices(4, xp=namespace(x))],
    "expand_dims": lambda x: xpx.expand_dims(x, axis=(0, 3)),
    "isclose": lambda x: xpx.isclose(x, x + 1e-9),
    "isin": lambda x: xpx.isin(x, x[0, :]),
    "kron": lambda x: xpx.kron(x, x[:2, :2]),
    "lazy_apply": lambda x: xpx.lazy_apply(lambda v: v**2, x),
    "lazy_apply as NumPy": lambda x: xpx.lazy_apply(np.square, x, as_numpy=True),
    "nan_to_num": lambda x: xpx.nan_to_num(x),
    "nanmax": lambda x: xpx.nanmax(x, axis=1),
    "nanmin": lambda x: xpx.nanmin(x, axis=1),
    "nanmean": lambda x: xpx.nanmean(x, axis=1),
    "nansum": lambda x: xpx.nansum(x, axis=1),
    "nunique": lambda x: xpx.nunique(x),
    "one_hot": lambda x: xpx.one_hot(integers(x, [1, 3]), 5, dtype=x.dtype) @ x.T,
    "pad": lambda x: xpx.pad(x, ((1, 0), (2, 1))),
    "partition": lambda x: xpx.partition(x, 2, axis=1)[:, 2],
    "searchsorted": lambda x: xpx.searchsorted(namespace(x).sort(x[0, :]), x[1, :]),
    "setdiff1d": lambda x: xpx.setdiff1d(x[0, :], x[1, :]),
    "sinc": xpx.sinc,
    "union1d": lambda x: xpx.union1d(x[0, :], x[1, :]),
    "unravel_index": lambda x: x[xpx.unravel_index(integers(x, [3, 7]), x.shape)],
}  # fmt: skip


def part(x):
    return xpx.at(x, (slice(1, 3), 0))
