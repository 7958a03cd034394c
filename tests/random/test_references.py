"""Each distribution against its formula, computed here by NumPy from the bits of the draw, in float64 or integers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from portanet.backends import Backend
from portanet.random import streams
from tests.random.drawing import draw, on_numpy
from tests.support import assert_close, assert_equal, to_numpy

SHAPES: list[tuple[int, ...]] = [(), (1,), (7,), (8,), (3, 5), (2, 0)]
STEP = 5


def fractions(count: int) -> np.ndarray:
    """The upper 24 bits of each word, as numbers in [0, 1)."""
    words = on_numpy(streams.bits, (count,), STEP).astype("int64")
    return (words % 2**32 // 256) / 2**24


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.0, 3.0), (0.0, 2.5), (-4.0, 1.0), (2.0, 2.0)])
def test_uniform(backend: Backend, shape: tuple[int, ...], low: float, high: float) -> None:
    expected = low + (high - low) * fractions(math.prod(shape)).reshape(shape)
    result = draw(streams.uniform, shape, STEP, dtype="float64", low=low, high=high)
    assert_close(result, expected, rtol=1e-12, atol=1e-15, dtype="float64")
    assert_close(draw(streams.uniform, shape, STEP, low=low, high=high), expected, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("mean", "stddev"), [(0.0, 1.0), (2.0, 0.5), (-3.0, 0.0)])
def test_normal(backend: Backend, shape: tuple[int, ...], mean: float, stddev: float) -> None:
    """Box and Muller: all cosines, then all sines."""
    size = math.prod(shape)
    u, v = fractions(size + size % 2).reshape(2, -1)
    radius = np.sqrt(-2 * np.log(u + 2**-24))
    both = np.concatenate((radius * np.cos(2 * np.pi * v), radius * np.sin(2 * np.pi * v)))
    expected = mean + stddev * both[:size].reshape(shape)
    result = draw(streams.normal, shape, STEP, dtype="float64", mean=mean, stddev=stddev)
    assert_close(result, expected, rtol=1e-12, atol=1e-14, dtype="float64")
    result = draw(streams.normal, shape, STEP, mean=mean, stddev=stddev)
    assert_close(result, expected, rtol=1e-5, atol=1e-6)


GILES = [2.81022636e-08, 3.43273939e-07, -3.5233877e-06, -4.39150654e-06, 0.00021858087, -0.00125372503]
GILES += [-0.00417768164, 0.246640727, 1.50140941]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize(("mean", "stddev"), [(0.0, 1.0), (2.0, 0.5), (-3.0, 0.0)])
def test_truncated_normal(backend: Backend, shape: tuple[int, ...], mean: float, stddev: float) -> None:
    """Giles's polynomial for the inverse error function, at the middles of 2**24 equal parts."""
    x = (2 * fractions(math.prod(shape)) - 1 + 2**-24) * math.erf(math.sqrt(2))
    inverse = np.polyval(GILES, -np.log(1 - x * x) - 2.5) * x
    expected = mean + stddev * np.clip(math.sqrt(2) * inverse, -2, 2).reshape(shape)
    result = draw(streams.truncated_normal, shape, STEP, dtype="float64", mean=mean, stddev=stddev)
    assert_close(result, expected, rtol=1e-12, atol=1e-14, dtype="float64")
    result = draw(streams.truncated_normal, shape, STEP, mean=mean, stddev=stddev)
    assert_close(result, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("p", [0.0, 2.0**-33, 2.0**-32, 0.3, 0.5, 1 - 2.0**-32, 1 - 2.0**-33, 1.0])
def test_bernoulli(backend: Backend, p: float) -> None:
    words = on_numpy(streams.bits, (4, 50), STEP).astype("int64") + 2**31
    assert_equal(draw(streams.bernoulli, (4, 50), STEP, p=p), words < round(p * 2**32), dtype="bool")


def test_bernoulli_of_the_words_at_the_ends(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mask is `word < threshold`: of the least and the greatest word, for probabilities next to 0 and 1."""
    for p, threshold in ((2.0**-32, 1 - 2**31), (1 - 2.0**-32, 2**31 - 1), (0.5, 0)):
        seen: list[Any] = []
        monkeypatch.setattr(
            streams,
            "random_words",
            lambda start, size, limit, before, seen=seen: seen.append(limit) or start[0, ...] < 0,
        )
        draw(streams.bernoulli, (1,), p=p)
        assert seen == [threshold]


@pytest.mark.parametrize(
    ("low", "high"),
    [
        (0, 1),
        (0, 10),
        (-3, 5),
        (7, 2**20),
        (0, 3 * 2**29),
        (-(2**31), -1),
        (-5, 2**30),
        (2**31 - 2, 2**31),
        (0, 2**30 + 1),
    ],
)
def test_integers(backend: Backend, low: int, high: int) -> None:
    """31 bits modulo the span; words of the last, incomplete multiple of it are drawn again, to one part in 2**24."""
    span = high - low
    limit = 2**31 // span * span
    draws = 1
    while ((2**31 - limit) / 2**31) ** draws > 2.0**-24:
        draws += 1
    words = on_numpy(streams.bits, (draws, 300), STEP).astype("int64") % 2**31
    expected = [next((w for w in column if w < limit), column[-1]) % span + low for column in words.T.tolist()]
    assert_equal(draw(streams.integers, (300,), STEP, low=low, high=high), np.asarray(expected, "int32"), dtype="int32")


@pytest.mark.parametrize("n", [1, 5, 40])
def test_permutations_and_choices(backend: Backend, n: int) -> None:
    words = on_numpy(streams.bits, (n,), STEP)
    order = sorted(range(n), key=lambda i: (words[i], i))
    whole = draw(lambda key, step, shape: streams.permutation(key, step, n), (n,), STEP)
    assert to_numpy(whole).tolist() == order
    size = (n + 1) // 2
    result = draw(streams.choice, (1, size), STEP, n=n, replace=False)
    assert_equal(result, np.asarray([order[:size]], "int32"), dtype="int32")
    assert to_numpy(draw(streams.choice, (n,), STEP, n=n, replace=False)).tolist() == order
    integers = on_numpy(streams.integers, (2, 3), STEP, low=0, high=n)
    assert_equal(draw(streams.choice, (2, 3), STEP, n=n), integers, dtype="int32")


@pytest.mark.parametrize("p", [[0.25, 0.75], [0.1, 0.0, 0.6, 0.3], [0.5, 0.5 + 9e-7], [0.0, 0.0, 1.0], [1.0]])
def test_weighted_choices(backend: Backend, p: Sequence[float]) -> None:
    """Of the intervals [0, p0), [p0, p0 + p1), ... the one that the word is in, as a fraction of 2**32."""
    words = on_numpy(streams.bits, (3, 40), STEP).astype("int64") + 2**31
    total = math.fsum(p)
    ends = [round(math.fsum(p[: i + 1]) / total * 2**32) for i in range(len(p))]
    expected = [next(i for i, end in enumerate(ends) if word < end) for word in words.ravel().tolist()]
    result = draw(streams.choice, (3, 40), STEP, n=len(p), p=p)
    assert_equal(result, np.asarray(expected, "int32").reshape(3, 40), dtype="int32")


@pytest.mark.parametrize("p", [[0.5, 0.5 + 3e-6], [0.5, 0.5 - 3e-6], [1.2, -0.2], [1.0], [0.2, 0.3, 0.5]])
def test_each_condition_on_probabilities(p: Sequence[float]) -> None:
    with pytest.raises(ValueError, match=r"`p` must be n=2 non-negative numbers whose sum is 1\. Received: p=\["):
        on_numpy(streams.choice, (3,), n=2, p=p)


def test_limits_of_a_draw(monkeypatch: pytest.MonkeyPatch) -> None:
    """2**31 elements are the most, counted from the first of the batch."""
    monkeypatch.setattr(
        streams, "random_words", lambda start, size, threshold, before: np.broadcast_to(np.zeros(1, "int32"), (size,))
    )
    assert on_numpy(streams.bits, (2**15, 2**16)).shape == (2**15, 2**16)
    with pytest.raises(ValueError, match=r"`shape` must have at most 2\*\*31 elements"):
        on_numpy(streams.bits, (2**31 + 1,))
    with streams.part_of_batch(slice(1, 2)):
        assert on_numpy(streams.bernoulli, (2, 2**29), p=0.5).shape == (2, 2**29)
        with pytest.raises(ValueError, match=r"`shape` must have at most 2\*\*31 elements"):
            on_numpy(streams.bernoulli, (2, 2**29 + 1), p=0.5)


@pytest.mark.parametrize("part", [slice(0, 2), slice(2, 5), slice(0, 6)])
def test_masks_of_a_part_are_parts_of_the_mask(backend: Backend, part: slice) -> None:
    whole = to_numpy(draw(streams.bernoulli, (6, 3, 4), STEP, p=0.4))
    alone = to_numpy(draw(streams.bernoulli, (1, 3, 4), STEP, p=0.4))
    with streams.part_of_batch(part):
        assert_equal(draw(streams.bernoulli, (part.stop - part.start, 3, 4), STEP, p=0.4), whole[part], dtype="bool")
        count = 2 * (part.stop - part.start)  # two rows for each example
        rows = whole.reshape(12, 6)[2 * part.start : 2 * part.stop]
        assert_equal(draw(streams.bernoulli, (count, 6), STEP, p=0.4), rows, dtype="bool")
        assert_equal(draw(streams.bernoulli, (1, 3, 4), STEP, p=0.4), alone, dtype="bool")  # one for all examples
    assert_equal(draw(streams.bernoulli, (2, 3, 4), STEP, p=0.4), whole[:2], dtype="bool")


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (streams.uniform, {"low": 1.0, "high": 0.5}, "`high` of uniform must be at least `low`"),
        (streams.uniform, {"low": math.nan}, "`low` of uniform must be a finite number"),
        (streams.normal, {"stddev": -1.0}, "`stddev` of normal must be a non-negative number"),
        (streams.truncated_normal, {"stddev": -1.0}, "`stddev` of truncated_normal must be a non-negative number"),
        (streams.choice, {"n": 3, "replace": 0}, "`replace` of choice must be True or False"),
        (streams.bernoulli, {"p": 1.0000001}, r"`p` of bernoulli must be a number in \[0, 1\]"),
    ],
)
def test_bad_arguments(kind: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        on_numpy(kind, (3,), **options)
