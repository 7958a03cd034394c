"""Fourier transforms and sequences: complex numbers are pairs of real and imaginary part, as in Keras."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, storage
from portanet.backends import Array, device_of
from portanet.ops.dtypes import floating
from portanet.ops.matrices import pad
from portanet.ops.operation import Operand, operation

WINDOWS = {"hann": (0.5, 0.5), "hamming": (0.54, 0.46)}


def _joined(x: Sequence[Array], of: str) -> tuple[Any, Array]:
    if not isinstance(x, list) or len(x) != 2 or x[0].shape != x[1].shape:
        raise checks.invalid("x", x, "two arrays of one shape, the real and the imaginary part", of)
    real, imaginary = map(floating, x)
    xp = array_namespace(real, imaginary)
    return xp, _complex(xp, real, imaginary)


def _complex(xp: Any, real: Array, imaginary: Array) -> Array:
    kind = xp.complex128 if real.dtype == xp.float64 else xp.complex64
    return xp.astype(real, kind) + 1j * xp.astype(imaginary, kind)


def _parts(xp: Any, x: Array) -> tuple[Array, Array]:
    return xp.real(x), xp.imag(x)


@operation
def fft(x: Sequence[Operand]) -> tuple[Array, Array]:
    """Fourier transform along the last axis.

    Args:
        x: The real and the imaginary part.

    Returns:
        The real and the imaginary part.

    Example:
        >>> fft(([1.0, 1.0], [0.0, 0.0]))
        (array([2., 0.], dtype=float32), array([0., 0.], dtype=float32))
    """
    xp, z = _joined(x, "fft")
    return _parts(xp, xp.fft.fft(z))


@operation
def fft2(x: Sequence[Operand]) -> tuple[Array, Array]:
    """Fourier transform along the last two axes; see `fft`.

    Example:
        >>> real, imaginary = fft2(([[1.0, 2.0], [3.0, 4.0]], [[0.0, 0.0], [0.0, 0.0]]))
        >>> real.tolist()
        [[10.0, -2.0], [-4.0, 0.0]]
    """
    xp, z = _joined(x, "fft2")
    return _parts(xp, xp.fft.fftn(z, axes=(-2, -1)))


@operation
def ifft2(x: Sequence[Operand]) -> tuple[Array, Array]:
    """Inverse of `fft2`.

    Example:
        >>> real, imaginary = ifft2(([[10.0, -2.0], [-4.0, 0.0]], [[0.0, 0.0], [0.0, 0.0]]))
        >>> real.tolist()
        [[1.0, 2.0], [3.0, 4.0]]
    """
    xp, z = _joined(x, "ifft2")
    return _parts(xp, xp.fft.ifftn(z, axes=(-2, -1)))


@operation
def rfft(x: Array, fft_length: int | None = None) -> tuple[Array, Array]:
    """Fourier transform of real numbers along the last axis, which is cut or padded to `fft_length`.

    Args:
        x: A real array.
        fft_length: Length to which the last axis is cut, or padded with zeros; None to keep it.

    Example:
        >>> rfft([1.0, 0.0, 0.0])
        (array([1., 1.], dtype=float32), array([0., 0.], dtype=float32))
    """
    x = floating(x)
    xp = array_namespace(x)
    return _parts(xp, xp.fft.rfft(x, n=fft_length))


@operation
def irfft(x: Sequence[Operand], fft_length: int | None = None) -> Array:
    """Inverse of `rfft`, with `fft_length` elements, by default an even number.

    Args:
        x: Real and imaginary part, a tuple of arrays.
        fft_length: Length of the result along the last axis.

    Example:
        >>> irfft(([10.0, -2.0, -2.0], [0.0, 2.0, 0.0]))
        array([1., 2., 3., 4.], dtype=float32)
    """
    xp, z = _joined(x, "irfft")
    result: Array = xp.fft.irfft(z, n=fft_length)
    return result


@operation
def extract_sequences(x: Array, sequence_length: int, sequence_stride: int) -> Array:
    """Sequences along the last axis, in steps.

    Args:
        x: Shape (..., n).
        sequence_length: Their length.
        sequence_stride: Distance of their starts.

    Returns:
        Shape (..., sequences, sequence_length).

    Example:
        >>> extract_sequences([1, 2, 3, 4], 2, 2)
        array([[1, 2],
               [3, 4]], dtype=int32)
    """
    checks.positive_int("sequence_length", sequence_length, "extract_sequences")
    checks.positive_int("sequence_stride", sequence_stride, "extract_sequences")
    if x.shape[-1] < sequence_length:
        raise checks.invalid("sequence_length", sequence_length, f"at most {x.shape[-1]}", "extract_sequences")
    xp = array_namespace(x)
    count = (x.shape[-1] - sequence_length) // sequence_stride + 1
    device = device_of(storage(x))
    starts = xp.arange(count, device=device) * sequence_stride
    places = starts[:, None] + xp.arange(sequence_length, device=device)
    taken = xp.take(x, xp.reshape(places, (-1,)), axis=len(x.shape) - 1)
    return xp.reshape(taken, (*x.shape[:-1], count, sequence_length))


def _window(x: Array, length: int, size: int, window: Any, of: str) -> Array | None:
    """The window in the middle of `size` elements; None for none."""
    if isinstance(window, str):
        constant, amplitude = WINDOWS[checks.choice("window", window, tuple(WINDOWS), of)]
        xp = array_namespace(x)
        angles = xp.arange(length, dtype=x.dtype, device=device_of(storage(x))) * (2 * math.pi / length)
        window = constant - amplitude * xp.cos(angles)
    elif window is None:
        if length == size:
            return None
        window = array_namespace(x).ones((length,), dtype=x.dtype, device=device_of(storage(x)))
    if tuple(window.shape) != (length,):
        raise checks.invalid("window", window, f"'hann', 'hamming', None or an array of shape ({length},)", of)
    before = (size - length) // 2
    return pad(array_namespace(window).astype(window, x.dtype), ((before, size - length - before),))


@operation
def stft(
    x: Array, sequence_length: int, sequence_stride: int, fft_length: int, window: Any = "hann", center: bool = True
) -> tuple[Array, Array]:
    """Short-time Fourier transform.

    Args:
        x: Shape (..., samples).
        sequence_length: Length of the window.
        sequence_stride: Distance of the windows.
        fft_length: Length of each transform, at least `sequence_length`.
        window: `"hann"`, `"hamming"`, an array of shape (sequence_length,), or None for ones.
        center: Whether the samples are padded, mirrored, so that windows are centred at multiples of the stride.

    Returns:
        The real and the imaginary part, shape (..., sequences, fft_length // 2 + 1).

    Example:
        >>> from portanet import ops
        >>> ops.shape(stft(ops.ones(16), 8, 4, 8)[0])
        (5, 5)
    """
    _require_length(sequence_length, fft_length, "stft")
    x = floating(x)
    weights = _window(x, sequence_length, fft_length, window, "stft")
    if center:
        half = fft_length // 2
        x = pad(x, ((0, 0),) * (len(x.shape) - 1) + ((half, half),), mode="reflect")
    rows = extract_sequences(x, fft_length, sequence_stride)
    return rfft(rows if weights is None else rows * weights, fft_length)


def _require_length(sequence_length: int, fft_length: int, of: str) -> None:
    checks.positive_int("sequence_length", sequence_length, of)
    if fft_length < sequence_length:
        raise checks.invalid("fft_length", fft_length, f"at least {sequence_length}, the sequence length", of)


@operation
def istft(
    x: Sequence[Operand],
    sequence_length: int,
    sequence_stride: int,
    fft_length: int,
    length: int | None = None,
    window: Any = "hann",
    center: bool = True,
) -> Array:
    """Inverse of `stft`.

    Args:
        x: The real and the imaginary part, shape (..., sequences, fft_length // 2 + 1).
        sequence_length: As for `stft`; likewise `sequence_stride`, `fft_length`, `window` and `center`.
        sequence_stride: See above.
        fft_length: See above.
        length: Number of samples to return; None for all.
        window: See above.
        center: See above.

    Returns:
        Shape (..., samples).

    Example:
        >>> from portanet import ops
        >>> x = ops.arange(16, dtype="float32")
        >>> ops.allclose(istft(stft(x, 8, 4, 8), 8, 4, 8), x, atol=1e-5)
        np.True_
    """
    _require_length(sequence_length, fft_length, "istft")
    rows = irfft(x, fft_length)
    xp = array_namespace(rows)
    weights = _window(rows, sequence_length, fft_length, window, "istft")
    rows = rows if weights is None else rows * weights
    count = rows.shape[-2]
    samples = fft_length + sequence_stride * (count - 1)
    summed = _overlapping(xp, rows, sequence_stride, samples)
    if weights is not None:
        squares = xp.broadcast_to(weights * weights, (count, fft_length))
        total = _overlapping(xp, squares, sequence_stride, samples)
        covered = total > 1e-11
        summed = xp.where(covered, summed / xp.where(covered, total, 1.0), summed)
    start = fft_length // 2 if center else 0
    end = start + length if length is not None else samples - start
    return summed[..., start : min(end, samples)]


def _overlapping(xp: Any, rows: Array, stride: int, samples: int) -> Array:
    """The sum of rows, each `stride` elements after the one before."""
    lead = tuple(rows.shape[:-2])
    count, size = rows.shape[-2:]
    steps = -(-size // stride)
    none = ((0, 0),) * len(lead)
    rows = pad(rows, (*none, (0, 0), (0, steps * stride - size)))
    blocks = xp.reshape(rows, (*lead, count, steps, stride))
    total = None
    for i in range(steps):
        part = pad(blocks[..., i, :], (*none, (i, steps - 1 - i), (0, 0)))
        total = part if total is None else total + part
    return xp.reshape(total, (*lead, -1))[..., :samples]


# Complex numbers


@operation
def real(x: Array) -> Array:
    """The real part.

    Example:
        >>> import numpy as np
        >>> real(np.asarray([1 + 2j]))
        array([1.])
    """
    xp = array_namespace(x)
    return xp.real(x) if xp.isdtype(x.dtype, "complex floating") else x


@operation
def imag(x: Array) -> Array:
    """The imaginary part; zeros for real numbers.

    Example:
        >>> import numpy as np
        >>> imag(np.asarray([1 + 2j]))
        array([2.])
    """
    xp = array_namespace(x)
    return xp.imag(x) if xp.isdtype(x.dtype, "complex floating") else xp.zeros_like(x)


@operation
def conjugate(x: Array) -> Array:
    """The complex conjugate.

    Example:
        >>> import numpy as np
        >>> conjugate(np.asarray([1 + 2j]))
        array([1.-2.j])
    """
    xp = array_namespace(x)
    return xp.conj(x) if xp.isdtype(x.dtype, "complex floating") else x


conj = conjugate


@operation
def angle(x: Array) -> Array:
    """Angle of complex numbers in radians; of real numbers 0 or pi.

    Example:
        >>> angle([1.0, -1.0]).round(4)
        array([0.    , 3.1416], dtype=float32)
    """
    xp = array_namespace(x)
    if xp.isdtype(x.dtype, "complex floating"):
        return xp.atan2(xp.imag(x), xp.real(x))
    x = floating(x)
    return xp.where(xp.isnan(x), x, xp.where(x < 0, xp.full_like(x, math.pi), xp.zeros_like(x)))


@operation
def polar(abs_: Array, angle: Array) -> Array:
    """Complex numbers from absolute values and angles.

    Args:
        abs_: Absolute values.
        angle: Angles in radians.

    Example:
        >>> polar([2.0], [0.0])
        array([2.+0.j], dtype=complex64)
    """
    abs_, angle = floating(abs_), floating(angle)
    xp = array_namespace(abs_, angle)
    return _complex(xp, abs_ * xp.cos(angle), abs_ * xp.sin(angle))


@operation
def view_as_complex(x: Array) -> Array:
    """Complex numbers from real and imaginary parts along the last axis, of size 2.

    Example:
        >>> view_as_complex([[1.0, 2.0]])
        array([1.+2.j], dtype=complex64)
    """
    if not x.shape or x.shape[-1] != 2:
        raise ValueError(
            f"Argument `x` of view_as_complex must have a last axis of size 2. Received: shape {tuple(x.shape)}"
        )
    x = floating(x)
    return _complex(array_namespace(x), x[..., 0], x[..., 1])


@operation
def view_as_real(x: Array) -> Array:
    """Real and imaginary parts along a new last axis.

    Example:
        >>> view_as_real(view_as_complex([[1.0, 2.0]])).tolist()
        [[1.0, 2.0]]
    """
    return array_namespace(x).stack([real(x), imag(x)], axis=-1)
