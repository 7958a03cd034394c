"""Fourier transforms: all linear. The matrix of a transform is symmetric, so it is its own transpose."""

from __future__ import annotations

from typing import Any

from portanet.autodiff.dispatch import LinearMap
from portanet.autodiff.rules.declare import composite, linear

BACKWARD_NORM = {"backward": "forward", "ortho": "ortho", "forward": "backward"}
"""The norm with which the opposite transform has the same factor."""


def _resize(xp: Any, x: Any, size: int, axis: int) -> Any:
    """Truncate `x` to `size` elements along an axis, or append zeros: a transform's first step, and its transpose."""
    axis %= x.ndim
    have = x.shape[axis]
    if have > size:
        return x[(*(slice(None),) * axis, slice(0, size), ...)]
    if have < size:
        missing = (*x.shape[:axis], size - have, *x.shape[axis + 1 :])
        return xp.concat([x, xp.raw.zeros(missing, dtype=x.dtype, device=xp.device_of(x))], axis=axis)
    return x


def _like_operand(xp: Any, g: Any, dtype: Any) -> Any:
    """The cotangent of a real operand is the real part."""
    if xp.isdtype(dtype, "real floating"):
        g = xp.real(g)
    return g if g.dtype == dtype else xp.astype(g, dtype)


def _symmetric(name: str) -> None:
    def back(
        xp: Any, ans: Any, x: Any, /, *, n: int | None = None, axis: int = -1, norm: Any = "backward"
    ) -> LinearMap:
        size, dtype = x.shape[axis], x.dtype
        transform = xp.find(name)
        return lambda g: _like_operand(xp, _resize(xp, transform(g, axis=axis, norm=norm), size, axis), dtype)

    linear(name, back)


def _symmetric_nd(name: str) -> None:
    def back(xp: Any, ans: Any, x: Any, /, *, s: Any = None, axes: Any = None, norm: Any = "backward") -> LinearMap:
        shape, dtype = x.shape, x.dtype
        transform, axes = xp.find(name), _axes(x, s, axes)

        def pull(g: Any) -> Any:
            g = transform(g, axes=axes, norm=norm)
            for axis in axes:
                g = _resize(xp, g, shape[axis], axis)
            return _like_operand(xp, g, dtype)

        return pull

    linear(name, back)


def _axes(x: Any, s: Any, axes: Any) -> tuple[int, ...]:
    if axes is not None:
        return tuple(axes)
    return tuple(range(-(x.ndim if s is None else len(s)), 0))


_symmetric("fft.fft")
_symmetric("fft.ifft")
_symmetric_nd("fft.fftn")
_symmetric_nd("fft.ifftn")
linear("fft.fftshift", lambda xp, ans, x, /, *, axes=None: lambda g: xp.fft.ifftshift(g, axes=axes))
linear("fft.ifftshift", lambda xp, ans, x, /, *, axes=None: lambda g: xp.fft.fftshift(g, axes=axes))


def _rfft_back(
    xp: Any, ans: Any, x: Any, /, *, n: int | None = None, axis: int = -1, norm: Any = "backward"
) -> LinearMap:
    """Rfft is half of the fft of a real array."""
    have, dtype = x.shape[axis], x.dtype
    size = have if n is None else n

    def pull(g: Any) -> Any:
        whole = xp.fft.fft(_resize(xp, g, size, axis), axis=axis, norm=norm)
        return _like_operand(xp, _resize(xp, whole, have, axis), dtype)

    return pull


def _irfft_back(
    xp: Any, ans: Any, x: Any, /, *, n: int | None = None, axis: int = -1, norm: Any = "backward"
) -> LinearMap:
    """Irfft counts each frequency twice, once for its mirror image, except the first and, if n is even, the last."""
    have, dtype, raw = x.shape[axis], x.dtype, xp.raw
    size = 2 * (have - 1) if n is None else n

    def pull(g: Any) -> Any:
        half = xp.conj(xp.fft.rfft(g, axis=axis, norm=BACKWARD_NORM[norm]))
        places = raw.arange(half.shape[axis], device=xp.device_of(half))
        weights = 2 - raw.astype((places == 0) | (places * 2 == size), g.dtype)
        half = half * raw.reshape(weights, (-1,) + (1,) * (half.ndim - 1 - axis % half.ndim))
        return _like_operand(xp, _resize(xp, half, have, axis), dtype)

    return pull


linear("fft.rfft", _rfft_back)
linear("fft.irfft", _irfft_back)

# The others are composed of these.


@composite("fft.hfft")
def _hfft(xp: Any, x: Any, /, *, n: int | None = None, axis: int = -1, norm: Any = "backward") -> Any:
    return xp.fft.irfft(xp.conj(x), n=n, axis=axis, norm=BACKWARD_NORM[norm])


@composite("fft.ihfft")
def _ihfft(xp: Any, x: Any, /, *, n: int | None = None, axis: int = -1, norm: Any = "backward") -> Any:
    return xp.conj(xp.fft.rfft(x, n=n, axis=axis, norm=BACKWARD_NORM[norm]))


@composite("fft.rfftn")
def _rfftn(xp: Any, x: Any, /, *, s: Any = None, axes: Any = None, norm: Any = "backward") -> Any:
    axes = _axes(x, s, axes)
    out = xp.fft.rfft(x, n=None if s is None else s[-1], axis=axes[-1], norm=norm)
    if len(axes) == 1:
        return out
    return xp.fft.fftn(out, s=None if s is None else s[:-1], axes=axes[:-1], norm=norm)


@composite("fft.irfftn")
def _irfftn(xp: Any, x: Any, /, *, s: Any = None, axes: Any = None, norm: Any = "backward") -> Any:
    axes = _axes(x, s, axes)
    if len(axes) > 1:
        x = xp.fft.ifftn(x, s=None if s is None else s[:-1], axes=axes[:-1], norm=norm)
    return xp.fft.irfft(x, n=None if s is None else s[-1], axis=axes[-1], norm=norm)
