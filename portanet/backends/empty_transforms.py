"""The extension `fft` for arrays without elements, which libraries refuse, misshape or read beyond their end."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

from portanet.backends.base import Array

ALONG_ONE_AXIS = ("fft", "ifft", "rfft", "irfft", "hfft", "ihfft")
ALONG_AXES = ("fftn", "ifftn", "rfftn", "irfftn")
OTHERS = ("fftfreq", "rfftfreq", "fftshift", "ifftshift")


def with_empty_arrays(xp: Any) -> SimpleNamespace:
    """The `fft` of a library; results without elements have the shape and dtype of all others.

    Along an axis without elements, transforms of a given size are those of zeros.
    """
    functions = {name: getattr(xp.fft, name) for name in OTHERS}
    for names, sizes in ((ALONG_ONE_AXIS, _size), (ALONG_AXES, _sizes)):
        functions |= {name: _complete(xp, getattr(xp.fft, name), sizes) for name in names}
    return SimpleNamespace(__name__=f"{xp.__name__}.fft", **functions)


def _complete(xp: Any, transform: Callable[..., Array], sizes: Callable[..., dict[int, Any]]) -> Callable[..., Array]:
    @functools.wraps(transform)
    def function(x: Array, /, **options: Any) -> Array:
        if options.get("s") is not None and options.get("axes") is None:  # which not every library fills in
            options["axes"] = tuple(range(x.ndim - len(options["s"]), x.ndim))
        if 0 not in x.shape:
            return transform(x, **options)
        along = sizes(x, **options)
        if any(x.shape[axis] == 0 and size is None for axis, size in along.items()):
            return transform(x, **options)  # the error of the library
        zeros = xp.zeros(tuple(size or 1 for size in x.shape), dtype=x.dtype, device=x.device)
        empty = [size == 0 and axis not in along for axis, size in enumerate(x.shape)]
        return transform(zeros, **options)[tuple(slice(0 if none else None) for none in empty)]

    return function


def _size(x: Array, *, n: int | None = None, axis: int = -1, **_: Any) -> dict[int, int | None]:
    """The axis that is transformed, with the size if it is given."""
    return {axis % x.ndim: n}


def _sizes(
    x: Array, *, s: Sequence[int] | None = None, axes: Sequence[int] | None = None, **_: Any
) -> dict[int, int | None]:
    """The axes that are transformed, with the sizes if they are given."""
    axes = range(x.ndim) if axes is None else axes
    return {axis % x.ndim: None if s is None else s[i] for i, axis in enumerate(axes)}
