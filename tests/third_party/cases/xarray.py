"""xarray, which computes with the arrays it wraps; its reductions skip NaN by functions of NumPy unless told not to."""

from __future__ import annotations

import functools

import xarray as xr
from xarray import DataArray

from tests.third_party.gradients import Cases, Function, like, namespace


def wrapped(f: Function) -> Function:
    """A case for a function of a DataArray with the dimensions a and b."""
    return functools.partial(_apply, f)


def _apply(f, x):
    return f(DataArray(x, dims=("a", "b"))).data


def points(d):
    return d.assign_coords(a=[0.0, 1.0, 3.0, 4.0])


REDUCTIONS = ("mean", "sum", "prod", "max", "min", "std", "var", "median", "cumsum")
CASES: Cases = {
    name: wrapped(f)
    for name, f in {
        **{f"{name}": (lambda d, name=name: getattr(d, name)("a")) for name in REDUCTIONS},
        **{f"{name}, skipna=False": (lambda d, name=name: getattr(d, name)("a", skipna=False)) for name in REDUCTIONS},
        "operators": lambda d: abs(-d) * d.isel(a=1) + 2 / d**2,
        "isel": lambda d: d.isel(a=1) * d.isel(a=slice(0, 2)),
        "sel": lambda d: points(d).sel(a=3.0),
        "transpose": lambda d: d.T * d.transpose("b", "a"),
        "where": lambda d: d.where(d > 1, 0.5),
        "fillna": lambda d: d.fillna(1.0) ** 2,
        "clip": lambda d: d.clip(1, 2),
        "concat": lambda d: xr.concat([d, d**2], dim="a"),
        "stack": lambda d: d.stack(z=("a", "b")) ** 2,
        "expand_dims": lambda d: d.expand_dims("c") ** 2,
        "broadcast": lambda d: xr.broadcast(d.isel(a=0), d)[0] * d,
        "roll": lambda d: d.roll(a=1) * d,
        "shift": lambda d: d.shift(a=1, fill_value=0.0) * d,
        "diff": lambda d: d.diff("a"),
        "pad": lambda d: d.pad(a=1, constant_values=0.0) ** 2,
        "integrate": lambda d: points(d).integrate("a"),
        "differentiate": lambda d: points(d).differentiate("a"),
        "interp": lambda d: points(d).interp(a=1.5),
        "groupby, skipna=False": lambda d: d.assign_coords(a=[0, 0, 1, 1]).groupby("a").mean(skipna=False),
        "Dataset.mean, skipna=False": lambda d: xr.Dataset({"u": d}).mean("a", skipna=False)["u"],
        "rolling": lambda d: d.rolling(a=2).mean().isel(a=slice(1, None)),
        "dot": lambda d: xr.dot(d, d**2, dim="a"),
        "weighted": lambda d: d.weighted(DataArray(like(d.data, [1.0, 2.0, 3.0, 4.0]), dims="a")).mean("a"),
        "corr": lambda d: xr.corr(d, d**2, dim="a"),
        "apply_ufunc": lambda d: xr.apply_ufunc(lambda v: namespace(v).exp(v), d),
    }.items()
}
