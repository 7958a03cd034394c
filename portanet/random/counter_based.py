"""The counter-based generator, and the draw that is its bits: bernoulli.

Not every library has all of uint32, and none gives the upper half of a product alike, so the hash is made of what int32
arithmetic does alike everywhere: products and sums that wrap around, exclusive or, and shifts.
"""

from __future__ import annotations

import functools
import hashlib
import math
from typing import Any

from portanet.backends import Array, kernel


def bits(xp: Any, shape: tuple[int, ...], key: int, step: Array, device: Any) -> Array:
    """32 random bits for each element, as int32; the same bits on every backend.

    With `mix` the finaliser "lowbias32" and all sums modulo 2**32, element i is

        mix(mix(i ^ a) + i + b),  a = mix(step ^ A),  b = mix(step ^ B)

    where A and B are the first 64 bits of the SHA-256 digest of the key's decimal digits. Two words, so that two
    streams are not one sequence read from different places; adding i makes numbers repeat as often as they should (a
    bijection of the counter never repeats one). Tests hold it to chi-square, runs, serial-correlation, collision and
    avalanche tests over 1e7 draws and to independence of neighbouring keys and steps. It was not put through TestU01
    or PractRand, a draw has at most 2**31 elements, and it is not for cryptography.

    Args:
        xp: The namespace to compute in.
        shape: Shape of the result.
        key: The stream, see `stream_key`.
        step: Which draw of the stream: an int32 array of shape (), so that a compiled step need not be compiled again.
        device: Where the result is put.

    Returns:
        An int32 array.

    Raises:
        ValueError: The draw has more than 2**31 elements.

    References:
        - C. Wellons, Prospecting for Hash Functions, https://nullprogram.com/blog/2018/07/31/ (`mix`).
        - J. K. Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011 (generators that hash a counter).

    Example:
        >>> import portanet
        >>> from portanet import random
        >>> xp, device = portanet.get_backend().xp, portanet.get_backend().device
        >>> random.bits(xp, (3,), random.stream_key(7, "mask"), portanet.asarray(0, "int32"), device)
        array([-291033646,  767092217,  350777599], dtype=int32)
    """
    return _draw(xp, shape, key, step, device, None, 0)


def bernoulli(xp: Any, shape: tuple[int, ...], p: float, key: int, step: Array, device: Any, before: int = 0) -> Array:
    """True with probability `p`, to within 2**-32; bit for bit the same on every backend.

    Arguments are as of `bits`, and `before`: how many elements of the draw come before these, which are a part of it.

    Raises:
        ValueError: `p` is not a probability.
    """
    if not 0 <= p <= 1:
        raise ValueError(f"Argument `p` must be a probability, between 0 and 1. Received: p={p!r}")
    threshold = round(p * 2**32) - 2**31
    if threshold >= 2**31:
        return xp.ones(shape, dtype=xp.bool, device=device)
    return _draw(xp, shape, key, step, device, threshold, before)


def _draw(
    xp: Any, shape: tuple[int, ...], key: int, step: Array, device: Any, threshold: int | None, before: int
) -> Array:
    """The words, or whether each is below a threshold."""
    size = math.prod(shape)
    if before + size > 2**31:
        raise ValueError(f"Argument `shape` must have at most 2**31 elements in one draw. Received: shape={shape}")
    start = _start(xp, key, xp.reshape(step, (1,)))  # an array: NumPy warns of overflow for scalars, though it is meant
    fast = kernel("random_words", start)
    if fast is not None:
        return xp.reshape(fast(size, start, threshold, before), shape)
    counter = xp.arange(before, before + size, dtype=xp.int32, device=device)
    words = _mix(counter ^ start[0, ...])
    words += counter
    words += start[1, ...]
    words = xp.reshape(_mix(words), shape)
    return words if threshold is None else words < threshold


def _start(xp: Any, key: int, step: Array) -> Array:
    """The words (a, b) of each of the draws `step`, an array of shape (n,): an array of shape (2, n)."""
    first, second = _words_of(key)
    return _mix(xp.stack((step ^ first, step ^ second)))


@functools.lru_cache(maxsize=4096)
def _words_of(key: int) -> tuple[int, int]:
    """Two words for a key, in Python: they are constants of a compiled step."""
    digest = hashlib.sha256(str(key).encode()).digest()
    return int.from_bytes(digest[:4], "little", signed=True), int.from_bytes(digest[4:8], "little", signed=True)


def _mix(x: Array) -> Array:
    """The finaliser "lowbias32" in place: a flipped bit of `x` flips each bit of the result with probability near 1/2.

    `>>` of a negative integer copies the sign, hence the masks.
    """
    x ^= (x >> 16) & 0xFFFF
    x *= 0x7FEB352D
    x ^= (x >> 15) & 0x1FFFF
    x *= -0x7B935975  # 0x846ca68b as int32
    x ^= (x >> 16) & 0xFFFF
    return x
