"""Draws of integers: bit for bit the same on every backend."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from portanet.backends import Array
from portanet.random.counter_based import bits


def integers(xp: Any, shape: tuple[int, ...], key: int, step: Array, device: Any, low: int, high: int) -> Array:
    """Integers from `low` to `high - 1`, each as likely as the others to within one part in 2**24.

    31 random bits modulo `high - low`; the few words that would favour small remainders are drawn again, a number of
    times that is known beforehand, so that the draw can be compiled (rejection: D. Lemire, Fast Random Integer
    Generation in an Interval, 2019, section 3).

    Args:
        xp: The namespace to compute in.
        shape: Shape of the result.
        key: The stream, see `stream_key`.
        step: Which draw of the stream, see `bits`.
        device: Where the result is put.
        low: The least integer.
        high: One more than the greatest; at most `low + 2**31 - 1`.

    Returns:
        An int32 array.

    Raises:
        ValueError: The range is empty, too long, or not one of int32.
    """
    span = high - low
    if not 0 < span < 2**31 or low < -(2**31) or high > 2**31:
        raise ValueError(
            "Arguments `low` and `high` must be of int32, and `high - low` between 1 and 2**31 - 1. "
            f"Received: low={low!r}, high={high!r}"
        )
    excess = 2**31 % span
    draws = 1 if excess == 0 else max(1, math.ceil(24 / (31 - math.log2(excess))))
    words = bits(xp, (draws, *shape), key, step, device) & 0x7FFFFFFF
    found = words[0, ...]
    for again in range(1, draws):
        found = xp.where(found < 2**31 - excess, found, words[again, ...])
    return found % span + low


def permutation(xp: Any, n: int, key: int, step: Array, device: Any) -> Array:
    """The integers below `n` in random order: those that sort `n` random words.

    Where words are equal (n**2 / 2**33 pairs are, on average), the smaller index comes first.

    Args:
        xp: The namespace to compute in.
        n: How many.
        key: The stream, see `stream_key`.
        step: Which draw of the stream, see `bits`.
        device: Where the result is put.

    Returns:
        An array of shape (n,), in the library's dtype of indices.
    """
    return xp.argsort(bits(xp, (n,), key, step, device), stable=True)


def choice(
    xp: Any,
    shape: tuple[int, ...],
    key: int,
    step: Array,
    device: Any,
    n: int,
    replace: bool = True,
    p: Sequence[float] | None = None,
) -> Array:
    """Indices below `n`; `xp.take` finds what they stand for.

    Args:
        xp: The namespace to compute in.
        shape: Shape of the result.
        key: The stream, see `stream_key`.
        step: Which draw of the stream, see `bits`.
        device: Where the result is put.
        n: Number of things to choose from.
        replace: Whether one may be chosen more than once.
        p: Their probabilities, numbers on the host, for draws with replacement; the same for all by default. They are
            rounded to multiples of 2**-32.

    Returns:
        An int32 array.

    Raises:
        ValueError: There is nothing to choose from, or not enough, or `p` are not `n` probabilities.
    """
    if p is not None:
        return _weighted(xp, shape, key, step, device, n, replace, p)
    if replace:
        return integers(xp, shape, key, step, device, 0, n)
    size = math.prod(shape)
    if size > n:
        raise ValueError(f"Argument `shape` must have at most n={n} elements without replacement. Received: {shape}")
    return xp.reshape(xp.astype(permutation(xp, n, key, step, device)[:size], xp.int32), shape)


def _weighted(
    xp: Any, shape: tuple[int, ...], key: int, step: Array, device: Any, n: int, replace: bool, p: Sequence[float]
) -> Array:
    """Which of the intervals between cumulative probabilities a word is in."""
    p = [float(each) for each in p]
    if len(p) != n or not all(each >= 0 for each in p) or not math.isclose(math.fsum(p), 1, rel_tol=1e-6):
        raise ValueError(f"Argument `p` must be n={n} non-negative numbers whose sum is 1. Received: p={p!r}")
    if not replace:
        raise ValueError("Argument `p` is for draws with replacement. Received: replace=False")
    total = math.fsum(p)
    ends = [round(end / total * 2**32) - 2**31 for end in accumulate(p)]
    ends = [end for end in ends if end < 2**31]  # without the last that can be chosen, which is found above all others
    words = bits(xp, (math.prod(shape),), key, step, device)
    found = xp.searchsorted(xp.asarray(ends, dtype=xp.int32, device=device), words, side="right")
    return xp.reshape(xp.astype(found, xp.int32), shape)
