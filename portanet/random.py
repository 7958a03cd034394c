"""Random numbers that are the same on every backend.

Initial weights are drawn on the host. Masks and noise come from counters: element i of the draw number `step` of a
stream is a hash of (key, step, i), computed in int32 arithmetic, which wraps around alike in every array library. So
draws do not depend on their order, on threads or on the device, and a run can be resumed from its counters alone.
"""

from __future__ import annotations

import hashlib
import math
import secrets
from typing import Any

import numpy as np

from portanet.backends import Array

_seed: list[int] = []
_unowned = [0]


def set_seed(seed: int) -> None:
    """Choose the seed of everything random that is built from here on: weights, masks, shuffling.

    Example:
        >>> import portanet
        >>> portanet.random.set_seed(7)
        >>> portanet.random.get_seed()
        7
    """
    if not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"Argument `seed` must be a non-negative integer. Received: seed={seed!r}")
    _seed[:] = [int(seed)]
    _unowned[0] = 0


def get_seed() -> int:
    """The seed in use; where none was chosen, one is drawn once from the operating system."""
    if not _seed:
        _seed.append(secrets.randbits(31))
    return _seed[0]


def next_unowned() -> int:
    """A number for the next layer that belongs to no model, so that two such layers do not start alike."""
    _unowned[0] += 1
    return _unowned[0] - 1


def host_generator(*path: str | int, seed: int | None = None) -> np.random.Generator:
    """NumPy's generator for one purpose, named by a path; it depends on seed and path alone, not on other draws."""
    return np.random.default_rng([get_seed() if seed is None else seed, stream_key(*path)])


def stream_key(*path: str | int) -> int:
    """A non-negative 31-bit key from a path."""
    digest = hashlib.sha256("/".join(map(str, path)).encode()).digest()
    return int.from_bytes(digest[:4], "little") >> 1


def _mix(xp: Any, x: Array) -> Array:
    """The finaliser "lowbias32" (C. Wellons, Prospecting for Hash Functions, 2018): every input bit flips each output
    bit with probability close to one half.

    `>>` of a negative integer copies the sign, hence the masks.
    """
    x = x ^ ((x >> 16) & 0xFFFF)
    x = x * 0x7FEB352D
    x = x ^ ((x >> 15) & 0x1FFFF)
    x = x * -0x7B935975  # 0x846ca68b as int32
    return x ^ ((x >> 16) & 0xFFFF)


def bits(xp: Any, shape: tuple[int, ...], key: int, step: Array, device: Any) -> Array:
    """32 random bits for each element, as int32.

    Args:
        xp: The namespace to compute in.
        shape: Shape of the result.
        key: The stream, see `stream_key`.
        step: Which draw of the stream: an int32 array of shape (), so that a compiled step need not be compiled again.
        device: Where the result is put.

    Returns:
        An int32 array.
    """
    size = math.prod(shape)
    counter = xp.arange(size, dtype=xp.int32, device=device)
    # Shape (1,): NumPy warns of overflow for scalars, though it is meant.
    start = _mix(xp, xp.reshape(step, (1,)) ^ _mix(xp, xp.full((1,), key, dtype=xp.int32, device=device)))
    # The key enters twice, so that two streams are not one sequence read from different places.
    return xp.reshape(_mix(xp, _mix(xp, counter ^ start) + start), shape)


def bernoulli(xp: Any, shape: tuple[int, ...], p: float, key: int, step: Array, device: Any) -> Array:
    """True with probability `p`, to within 2**-32; bit for bit the same on every backend."""
    threshold = round(p * 2**32) - 2**31
    if threshold >= 2**31:
        return xp.ones(shape, dtype=xp.bool, device=device)
    return bits(xp, shape, key, step, device) < threshold


def uniform(
    xp: Any,
    shape: tuple[int, ...],
    key: int,
    step: Array,
    device: Any,
    dtype: Any,
    low: float = 0.0,
    high: float = 1.0,
) -> Array:
    """Multiples of 2**-24 in [0, 1), scaled to [low, high); 24 bits are what float32 holds exactly.

    The same bits on every backend; the same numbers in every dtype, up to its rounding.

    Args:
        xp: The namespace to compute in.
        shape: Shape of the result.
        key: The stream, see `stream_key`.
        step: Which draw of the stream, see `bits`.
        device: Where the result is put.
        dtype: Floating-point dtype of the result.
        low: Lower end of the range, included.
        high: Upper end, not included (save where rounding reaches it).
    """
    found = _fractions(xp, bits(xp, shape, key, step, device), dtype)
    if (low, high) != (0.0, 1.0):
        found = found * (high - low) + low
    return xp.astype(found, dtype, copy=False)


def normal(
    xp: Any,
    shape: tuple[int, ...],
    key: int,
    step: Array,
    device: Any,
    dtype: Any,
    mean: float = 0.0,
    stddev: float = 1.0,
) -> Array:
    """Normal numbers by the Box-Muller transform: two from two uniform ones, `sqrt(-2 log u) (cos, sin)(2 pi v)`.

    Equal on every backend up to the rounding of log, cos and sin, a few units in the last place of float32 (the
    transform is computed in float64 only for float64). The largest is 5.77 standard deviations from the mean.
    Arguments are those of `uniform`, with the `mean` and standard deviation `stddev` of the result.
    """
    size = math.prod(shape)
    pairs = (size + 1) // 2
    fractions = _fractions(xp, bits(xp, (2 * pairs,), key, step, device), dtype)
    radius = xp.sqrt(-2.0 * xp.log(fractions[:pairs] + 2.0**-24))  # u in (0, 1]
    angle = fractions[pairs:] * (2 * math.pi)
    found = xp.concat((radius * xp.cos(angle), radius * xp.sin(angle)))[:size]
    return xp.astype(xp.reshape(found * stddev + mean, shape), dtype, copy=False)


def _fractions(xp: Any, words: Array, dtype: Any) -> Array:
    """The upper 24 bits of 32 as multiples of 2**-24 in [0, 1); float64 for float64, else float32."""
    wide = xp.float64 if dtype == xp.float64 else xp.float32
    return xp.astype((words >> 8) & 0xFFFFFF, wide) * 2.0**-24
