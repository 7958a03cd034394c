"""Draws from counters: the same numbers on every backend, whatever was drawn before.

Element i of a draw is a hash of (key, step, i): the `key` names the stream (`portanet.random.stream_key`), the array
`step` counts its draws. What is drawn has the library and device of `step`, and no derivative.

Not every library has all of uint32, and none gives the upper half of a product alike, so the hash is made of what int32
arithmetic does alike everywhere: products and sums that wrap around, exclusive or, and shifts.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import math
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from itertools import accumulate
from typing import Any

from portanet import checks
from portanet.autodiff import unwrap
from portanet.backends import Array, constant, device_of, is_dtype, overridable, raw_namespace

__all__ = ["bernoulli", "bits", "choice", "integers", "normal", "permutation", "truncated_normal", "uniform"]


def bits(key: int, step: Array, shape: tuple[int, ...]) -> Array:
    """32 random bits for each element, as int32; the same bits on every backend.

    With `mix` the finaliser "lowbias32" and all sums modulo 2**32, element i is

        mix(mix(i ^ a) + i + b),  a = mix(step ^ A),  b = mix(step ^ B)

    where A and B are the first 64 bits of the SHA-256 digest of the key's decimal digits. Two words, so that two
    streams are not one sequence read from different positions; adding i makes numbers repeat as often as they should (a
    bijection of the counter never repeats one). Tests hold it to chi-square, runs, serial-correlation, collision and
    avalanche tests over 1e7 draws and to independence of neighbouring keys and steps. It was not put through TestU01
    or PractRand, a draw has at most 2**31 elements, and it is not for cryptography.

    Args:
        key: The stream, see `portanet.random.stream_key`.
        step: Which draw of the stream: an int32 array of shape (), so that a compiled step need not be compiled again.
        shape: Shape of the result.

    Returns:
        An int32 array of the library and device of `step`.

    Raises:
        ValueError: The draw has more than 2**31 elements.

    References:
        - C. Wellons, Prospecting for Hash Functions, https://nullprogram.com/blog/2018/07/31/ (`mix`).
        - J. K. Salmon et al., Parallel Random Numbers: As Easy as 1, 2, 3, SC 2011 (generators that hash a counter).

    Example:
        >>> import portanet
        >>> from portanet.random import stream_key, streams
        >>> streams.bits(stream_key(7, "mask"), portanet.asarray(0, "int32"), (3,))
        array([-291033646,  767092217,  350777599], dtype=int32)
    """
    return _draw(key, step, shape, None)


_part: ContextVar[slice | None] = ContextVar("portanet_part_of_a_batch", default=None)
"""Which examples, and as its step how many the batch has."""


@contextlib.contextmanager
def part_of_batch(examples: slice, whole: int | None = None) -> Iterator[None]:
    """Inside a `with` block of this context, masks are those of some examples of a batch: the part of the draw for the
    whole batch that is theirs. Inside of another such block they are some of its examples. `whole` is the size of the
    batch, without which nothing but masks is drawn for a part.
    """
    outer = _part.get()
    before, step = (0, None) if outer is None else (outer.start, outer.step)
    token = _part.set(slice(before + examples.start, before + examples.stop, whole or step))
    try:
        yield
    finally:
        _part.reset(token)


def of_examples(draw: Callable[[tuple[int, ...]], Array], shape: Sequence[int]) -> Array:
    """A draw; if its first axis is as long as the part of a batch at hand, that part of the draw for the batch."""
    part, shape = _part.get(), tuple(shape)
    if part is None or part.step is None or not shape or shape[0] != part.stop - part.start:
        return draw(shape)
    return draw((part.step, *shape[1:]))[part.start : part.stop, ...]


def _elements_before(shape: tuple[int, ...]) -> int:
    """Of a draw for the whole batch, how many elements come before those of this shape, which are for a part of it."""
    part = _part.get()
    if part is None or not shape or shape[0] == 1 or shape[0] % (part.stop - part.start):  # one draw for all
        return 0
    count: int = part.stop - part.start
    return math.prod(shape) // count * int(part.start)


def bernoulli(key: int, step: Array, p: float, shape: tuple[int, ...]) -> Array:
    """True with probability `p`, to within 2**-32; bit for bit the same on every backend.

    The other arguments are those of `bits`.

    Raises:
        ValueError: `p` is not a probability.
    """
    p = checks.number("p", p, "[0, 1]", "bernoulli")
    threshold = round(p * 2**32) - 2**31
    if threshold >= 2**31:
        _check(key, step, shape)
        step = unwrap(step)
        xp = raw_namespace(step)
        return xp.ones(shape, dtype=xp.bool, device=device_of(step))
    return _draw(key, step, shape, threshold, _elements_before(shape))


def _check(key: int, step: Array, shape: tuple[int, ...]) -> None:
    """Reject a key, a step or a shape of another kind."""
    if type(key) is not int:
        checks.integer("key", key, "a draw")
    plain = unwrap(step)
    if not raw_namespace(plain).isdtype(plain.dtype, "integral") or math.prod(plain.shape) != 1:
        received = f"an array of shape {tuple(plain.shape)} and dtype {plain.dtype}"
        raise ValueError(f"Argument `step` of a draw must be an int32 array of shape (). Received: {received}")
    if type(shape) is not tuple or not all(type(n) is int and n >= 0 for n in shape):
        _shape(shape)


def _shape(shape: Any) -> tuple[int, ...]:
    if not isinstance(shape, (list, tuple)):
        raise checks.invalid("shape", shape, "a tuple of non-negative integers", "a draw")
    return checks.integers("shape", shape, of="a draw", least=0) if shape else ()


def _draw(key: int, step: Array, shape: tuple[int, ...], threshold: int | None, before: int = 0) -> Array:
    """The words, or whether each is below a threshold."""
    _check(key, step, shape)
    size = math.prod(shape)
    if before + size > 2**31:
        raise ValueError(f"Argument `shape` must have at most 2**31 elements in one draw. Received: shape={shape}")
    step = unwrap(step)
    xp = raw_namespace(step)
    start = _start(xp, key, xp.reshape(step, (1,)))  # an array: NumPy warns of overflow for scalars, though it is meant
    return xp.reshape(random_words(start, size, threshold, before), shape)


@overridable
def random_words(start: Array, size: int, threshold: int | None, before: int = 0) -> Array:
    """The words of a draw, or whether each is below a threshold.

    Args:
        start: The two words of the draw, int32 of shape (2, 1).
        size: How many words.
        threshold: If given, the result is whether words are below it.
        before: How many words of the draw come before these.
    """
    xp = raw_namespace(start)
    counter = xp.arange(before, before + size, dtype=xp.int32, device=device_of(start))
    words = _mix(xp.bitwise_xor(counter, start[0, ...]))
    words += counter
    words += start[1, ...]
    words = _mix(words)
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


# Floating-point numbers: from the same bits on every backend, equal up to the rounding of functions


def uniform(
    key: int, step: Array, shape: tuple[int, ...], dtype: Any = None, low: float = 0.0, high: float = 1.0
) -> Array:
    """Multiples of 2**-24 in [0, 1), scaled to [low, high); 24 bits are what float32 holds exactly.

    The same bits on every backend; the same numbers in every dtype, up to its rounding.

    Args:
        key: The stream, see `bits`.
        step: Which draw of the stream, see `bits`.
        shape: Shape of the result.
        dtype: Floating-point dtype of the result, by default float32.
        low: Lower end of the range, included.
        high: Upper end, excluded, unless by rounding.

    Raises:
        ValueError: `high` is less than `low`.
    """
    start, end = checks.number("low", low, of="uniform"), checks.number("high", high, of="uniform")
    if not start <= end:
        raise ValueError(f"Argument `high` of uniform must be at least `low`. Received: low={low!r}, high={high!r}")
    words = bits(key, step, shape)
    xp = raw_namespace(words)
    numbers = _fractions(xp, words, dtype)
    if (start, end) != (0.0, 1.0):
        numbers *= end - start
        numbers += start
    return xp.astype(numbers, dtype or xp.float32, copy=False)


def normal(
    key: int, step: Array, shape: tuple[int, ...], dtype: Any = None, mean: float = 0.0, stddev: float = 1.0
) -> Array:
    """Normal numbers by the Box-Muller transform: two from two uniform ones, `sqrt(-2 log u) (cos, sin)(2 pi v)`.

    Equal on every backend up to the rounding of log, cos and sin, a few units in the last place of float32 (the
    transform is computed in float64 only for float64). The largest is 5.77 standard deviations from the mean.
    Arguments are those of `uniform`, with the `mean` and standard deviation `stddev` of the result.
    """
    stddev = checks.non_negative("stddev", stddev, "normal")
    mean = checks.number("mean", mean, of="normal")
    size = math.prod(_shape(shape))
    pairs = (size + 1) // 2
    words = bits(key, step, (2 * pairs,))
    xp = raw_namespace(words)
    fractions = _fractions(xp, words, dtype)
    radius = xp.sqrt(-2.0 * xp.log(fractions[:pairs] + 2.0**-24))  # u in (0, 1]
    angle = fractions[pairs:] * (2 * math.pi)
    numbers = xp.concat((radius * xp.cos(angle), radius * xp.sin(angle)))[:size]
    return xp.astype(xp.reshape(numbers * stddev + mean, shape), dtype or xp.float32, copy=False)


# M. Giles, Approximating the erfinv function (GPU Computing Gems, 2011), single precision, central part: erfinv(x) / x
# as a polynomial in -log(1 - x**2) - 2.5, the highest power first.
_ERFINV = (
    *(2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087),
    *(-0.00125372503, -0.00417768164, 0.246640727, 1.50140941),
)


def truncated_normal(
    key: int, step: Array, shape: tuple[int, ...], dtype: Any = None, mean: float = 0.0, stddev: float = 1.0
) -> Array:
    """Normal numbers within two standard deviations `stddev` of the `mean`, which are those of the whole normal law.

    By inversion, which needs no rejection: `sqrt(2) erfinv(x)`, x uniform on 2**24 points between `-erf(sqrt(2))` and
    `erf(sqrt(2))`. The inverse error function is M. Giles's approximation of 2011, whose relative error of some 3e-7
    is that of float32; float64 has the points and the error too. Arguments are those of `uniform`.
    """
    stddev = checks.non_negative("stddev", stddev, "truncated_normal")
    mean = checks.number("mean", mean, of="truncated_normal")
    words = (bits(key, step, shape) >> 8) & 0xFFFFFF
    xp = raw_namespace(words)
    x = xp.astype(2 * words - (2**24 - 1), _computed_in(xp, dtype))  # odd integers, which are exact
    x = x * (2.0**-24 * math.erf(math.sqrt(2)))
    w = -xp.log((1.0 - x) * (1.0 + x)) - 2.5
    factor = xp.full_like(w, _ERFINV[0])
    for coefficient in _ERFINV[1:]:
        factor = factor * w + coefficient
    numbers = xp.clip(factor * x * math.sqrt(2), -2.0, 2.0)
    return xp.astype(numbers * stddev + mean, dtype or xp.float32, copy=False)


def _fractions(xp: Any, words: Array, dtype: Any) -> Array:
    """The upper 24 bits of 32 as multiples of 2**-24 in [0, 1), in the dtype to compute in. Overwrites `words`."""
    words >>= 8
    words &= 0xFFFFFF
    fractions = xp.astype(words, _computed_in(xp, dtype))
    fractions *= 2.0**-24
    return fractions


def _computed_in(xp: Any, dtype: Any) -> Any:
    """float64 for float64, else float32."""
    if dtype is None:
        return xp.float32
    if not is_dtype(xp, dtype, "real floating"):
        raise checks.invalid("dtype", dtype, "a floating-point dtype of the library of `step`", "a draw")
    return xp.float64 if dtype == xp.float64 else xp.float32


# Integers: bit for bit the same on every backend


def integers(key: int, step: Array, shape: tuple[int, ...], low: int, high: int) -> Array:
    """Integers from `low` to `high - 1`, each as likely as the others to within one part in 2**24.

    31 random bits modulo `high - low`; the few words that would favour small remainders are drawn again, a number of
    times that is known beforehand, so that the draw can be compiled (rejection: D. Lemire, Fast Random Integer
    Generation in an Interval, 2019, section 3).

    Args:
        key: The stream, see `bits`.
        step: Which draw of the stream, see `bits`.
        shape: Shape of the result.
        low: The least integer.
        high: One more than the greatest; at most `low + 2**31 - 1`.

    Returns:
        An int32 array.

    Raises:
        ValueError: The range is empty, too long, or not one of int32.
    """
    low, high = checks.integer("low", low, "integers"), checks.integer("high", high, "integers")
    span = high - low
    if not 0 < span < 2**31 or low < -(2**31) or high > 2**31:
        raise ValueError(
            "Arguments `low` and `high` must be of int32, and `high - low` between 1 and 2**31 - 1. "
            f"Received: low={low!r}, high={high!r}"
        )
    excess = 2**31 % span
    draws = 1 if excess == 0 else max(1, math.ceil(24 / (31 - math.log2(excess))))
    words = bits(key, step, (draws, *_shape(shape))) & 0x7FFFFFFF
    xp = raw_namespace(words)
    accepted = words[0, ...]
    for again in range(1, draws):
        accepted = xp.where(accepted < 2**31 - excess, accepted, words[again, ...])
    return accepted % span + low


def permutation(key: int, step: Array, n: int) -> Array:
    """The integers below `n` in random order: those that sort `n` random words.

    Where words are equal (n**2 / 2**33 pairs are, on average), the smaller index comes first. The other arguments are
    those of `bits`.

    Returns:
        An array of shape (n,), in the library's dtype of indices.
    """
    words = bits(key, step, (checks.integer("n", n, "permutation", least=0),))
    return raw_namespace(words).argsort(words)  # which is stable


def choice(
    key: int, step: Array, n: int, shape: tuple[int, ...], replace: bool = True, p: Sequence[float] | None = None
) -> Array:
    """Indices below `n`; `xp.take` finds what they stand for.

    Args:
        key: The stream, see `bits`.
        step: Which draw of the stream, see `bits`.
        n: Number of things to choose from.
        shape: Shape of the result.
        replace: Whether one may be chosen more than once.
        p: Their probabilities, numbers on the host, for draws with replacement; the same for all by default. They are
            rounded to multiples of 2**-32.

    Returns:
        An int32 array.

    Raises:
        ValueError: There is nothing to choose from, or not enough, or `p` are not `n` probabilities.
    """
    replace = checks.boolean("replace", replace, "choice")
    n, shape = checks.positive_int("n", n, "choice"), _shape(shape)
    if p is not None:
        return _weighted(key, step, n, shape, replace, p)
    if replace:
        return integers(key, step, shape, 0, n)
    size = math.prod(shape)
    if size > n:
        raise ValueError(f"Argument `shape` must have at most n={n} elements without replacement. Received: {shape}")
    order = permutation(key, step, n)
    xp = raw_namespace(order)
    return xp.reshape(xp.astype(order[:size], xp.int32), shape)


def _weighted(key: int, step: Array, n: int, shape: tuple[int, ...], replace: bool, p: Sequence[float]) -> Array:
    """Which of the intervals between cumulative probabilities a word is in."""
    p = checks.numbers("p", p.tolist() if hasattr(p, "tolist") else p, of="choice")
    if len(p) != n or not all(each >= 0 for each in p) or not math.isclose(math.fsum(p), 1, rel_tol=1e-6):
        raise ValueError(f"Argument `p` must be n={n} non-negative numbers whose sum is 1. Received: p={p!r}")
    if not replace:
        raise ValueError("Argument `p` is for draws with replacement. Received: replace=False")
    total = math.fsum(p)
    ends = [round(end / total * 2**32) - 2**31 for end in accumulate(p)]
    ends = [end for end in ends if end < 2**31]  # without the last that can be chosen: words above all others
    words = bits(key, step, (math.prod(shape),))
    xp = raw_namespace(words)
    indices = xp.searchsorted(constant(words, ends, xp.int32), words, side="right")
    return xp.reshape(xp.astype(indices, xp.int32), shape)
