from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from portanet.random import streams
from tests.random.drawing import draw, on_numpy
from tests.support import assert_equal, to_numpy

RANGES = [(0, 1), (0, 10), (-3, 4), (5, 5 + 2**20), (0, 2**31 - 1), (-(2**31), -1), (-(2**30), 3), (2**31 - 2, 2**31)]


@pytest.mark.parametrize(("low", "high"), RANGES)
def test_integers_are_the_same_everywhere(backend: Any, low: int, high: int) -> None:
    result = draw(streams.integers, (3, 40), 2, low=low, high=high)
    assert_equal(result, on_numpy(streams.integers, (3, 40), 2, low=low, high=high), dtype="int32")
    values = to_numpy(result)
    assert low <= values.min()
    assert values.max() < high


@pytest.mark.parametrize("n", [2, 3, 10, 1000])
def test_integers_are_equally_likely(n: int) -> None:
    counts = np.bincount(on_numpy(streams.integers, (1_000_000,), low=0, high=n), minlength=n)
    chi_square = ((counts - 1e6 / n) ** 2).sum() / (1e6 / n)
    assert abs(chi_square - (n - 1)) < 4 * math.sqrt(2 * (n - 1))


def test_long_ranges_favour_nothing() -> None:
    # A plain remainder would be below 2**29 in every second draw.
    x = on_numpy(streams.integers, (200_000,), low=0, high=3 * 2**29)
    assert (x < 2**29).mean() == pytest.approx(1 / 3, abs=4 * math.sqrt(2 / 9 / 200_000))


@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 0), (3, 1), (-1, 2**31), (0, 2**31), (-(2**31) - 1, 0), (2**31, 2**31 + 1), (-(2**31) - 1, -(2**31) + 4)],
)
def test_integers_refuse_other_ranges(low: int, high: int) -> None:
    with pytest.raises(ValueError, match=f"`low` and `high` must be of int32.*Received: low={low}, high={high}"):
        on_numpy(streams.integers, (3,), low=low, high=high)


def permutation(key: int, step: Any, shape: tuple[int, ...]) -> Any:
    """`streams.permutation` with the arguments of the other draws."""
    return streams.permutation(key, step, shape[0])


@pytest.mark.parametrize("n", [0, 1, 2, 1000])
def test_permutation_is_the_same_everywhere(backend: Any, n: int) -> None:
    result = to_numpy(draw(permutation, (n,)))
    np.testing.assert_array_equal(result, on_numpy(permutation, (n,)))
    np.testing.assert_array_equal(np.sort(result), np.arange(n))


def test_equal_words_keep_their_order(backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    words = backend.from_host(np.array([3, 1] * 50, dtype="int32"))
    monkeypatch.setattr(streams, "bits", lambda *args: words)
    np.testing.assert_array_equal(to_numpy(draw(permutation, (100,))), [*range(1, 100, 2), *range(0, 100, 2)])


def test_all_orders_are_equally_likely() -> None:
    counts: dict[tuple[int, ...], int] = {}
    for step in range(6000):
        order = tuple(on_numpy(permutation, (3,), step).tolist())
        counts[order] = counts.get(order, 0) + 1
    assert len(counts) == 6
    assert sum((count - 1000) ** 2 / 1000 for count in counts.values()) < 20.5  # 5 degrees of freedom, 0.1 %


@pytest.mark.parametrize(
    "options",
    [
        {"n": 9},
        {"n": 30, "replace": False},
        {"n": 4, "p": [0.1, 0.0, 0.6, 0.3]},
        {"n": 1, "p": [1.0]},
        {"n": 3, "p": [0.0, 1.0, 0.0]},
    ],
)
def test_choice_is_the_same_everywhere(backend: Any, options: dict[str, Any]) -> None:
    result = draw(streams.choice, (5, 6), **options)
    assert_equal(result, on_numpy(streams.choice, (5, 6), **options), dtype="int32")
    values = to_numpy(result)
    assert values.min() >= 0
    assert values.max() < options["n"]
    if "replace" in options:
        assert np.unique(values).size == 30


def test_choice_follows_its_probabilities(monkeypatch: pytest.MonkeyPatch) -> None:
    p = np.array([0.1, 0.0, 0.6, 0.3, 0.0])
    result = on_numpy(streams.choice, (100_000,), n=5, p=p)
    frequencies = np.bincount(result, minlength=5) / 100_000
    np.testing.assert_allclose(frequencies, p, atol=4 * math.sqrt(0.25 / 100_000))
    assert frequencies[1] == frequencies[4] == 0
    words = np.array([-(2**31), 2**31 - 1], dtype="int32")
    monkeypatch.setattr(streams, "bits", lambda *args: words)
    np.testing.assert_array_equal(on_numpy(streams.choice, (2,), n=5, p=p), [0, 3])
    np.testing.assert_array_equal(on_numpy(streams.choice, (2,), n=2, p=[0.0, 1.0]), [1, 1])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n": 0}, "`n` of choice must be a positive integer"),
        ({"n": 5, "replace": False}, r"at most n=5 elements without replacement. Received: \(6,\)"),
        ({"n": 2, "p": [0.5, 0.4]}, r"must be n=2 non-negative numbers whose sum is 1. Received: p=\[0.5, 0.4\]"),
        ({"n": 2, "p": [1.5, -0.5]}, "must be n=2"),
        ({"n": 3, "p": [0.5, 0.5]}, "must be n=3"),
        ({"n": 2, "p": [math.nan, 0.5]}, "`p` of choice must be a finite number"),
        ({"n": 2, "p": [0.5, 0.5], "replace": False}, "with replacement. Received: replace=False"),
    ],
)
def test_choice_refuses(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        on_numpy(streams.choice, (6,), **options)
