"""Statistical tests of the bits of 1e7 draws: each statistic is compared with its value for independent, fair bits, in
standard deviations. They run once, on NumPy: the bits are the same everywhere.
"""

from __future__ import annotations

import functools
import math
from typing import Any

import numpy as np
import pytest

from portanet.backends import asarray, use_backend
from portanet.backends.numpy.random import random_words
from portanet.random import streams
from tests.random.drawing import KEY, on_numpy

N = 10_000_000
LIMIT = 5.5  # standard deviations: probability 1 in 3e7 for one statistic, and no test here has more than 3000


@functools.cache
def words() -> Any:
    """1e7 words of one draw, unsigned."""
    return on_numpy(streams.bits, (N,)).view("uint32")


def word_draw(n: int, step: int = 0, key: int = KEY) -> Any:
    return on_numpy(streams.bits, (n,), step, key=key).view("uint32")


def chi_square(counts: Any) -> float:
    """The deviation of the statistic, in standard deviations, where all counts should be equal."""
    expected = counts.sum() / counts.size
    free = counts.size - 1
    return float((((counts - expected) ** 2).sum() / expected - free) / math.sqrt(2 * free))


@pytest.mark.parametrize("shift", [0, 8, 16, 24])
def test_bytes_are_equally_likely(shift: int) -> None:
    counts = np.bincount((words() >> shift).astype("uint8"), minlength=256)
    assert abs(chi_square(counts)) < LIMIT


@pytest.mark.parametrize("shift", [0, 24])
def test_successive_pairs_are_equally_likely(shift: int) -> None:
    part = (words() >> shift).astype("uint8").astype("uint16")
    assert abs(chi_square(np.bincount(part[::2] * 256 + part[1::2], minlength=2**16))) < LIMIT


def test_runs_of_each_bit_are_as_many_as_expected() -> None:
    changes = words()[1:] ^ words()[:-1]
    for bit in range(32):
        ones = np.count_nonzero(words() & np.uint32(1 << bit))
        assert abs(ones - N / 2) < LIMIT * math.sqrt(N) / 2, bit
        runs = 1 + np.count_nonzero(changes & np.uint32(1 << bit))
        expected = 1 + 2 * ones * (N - ones) / N  # Wald and Wolfowitz 1940
        assert abs(runs - expected) < LIMIT * (expected - 1) / math.sqrt(N), bit


def test_runs_up_and_down_are_as_many_as_expected() -> None:
    rising = words()[1:] > words()[:-1]
    runs = 1 + np.count_nonzero(rising[1:] != rising[:-1])
    assert abs(runs - (2 * N - 1) / 3) < LIMIT * math.sqrt((16 * N - 29) / 90)  # Levene 1952


def test_no_serial_correlation() -> None:
    x = words().astype("float32") * 2.0**-32 - 0.5
    for lag in (1, 2, 3, 4, 5, 7, 8, 16, 31, 64, 784, 1024, 4096, 2**16, 2**20):
        products = np.dot(x[lag:], x[:-lag])
        assert abs(products) < LIMIT * math.sqrt(N - lag) / 12, lag


def test_numbers_repeat_as_often_as_they_should() -> None:
    sample = np.sort(words()[: 2**22])
    repeats = np.count_nonzero(sample[1:] == sample[:-1])
    expected = 2**22 * (2**22 - 1) / 2**33
    assert abs(repeats - expected) < LIMIT * math.sqrt(expected)


def worst_flip(x: Any, changed: Any) -> float:
    """The largest deviation of a result bit's number of flips from one half, in standard deviations."""
    flips = np.unpackbits((x ^ changed).view("uint8").reshape(-1, 4), axis=1).sum(axis=0, dtype="int64")
    return float(np.abs(flips - x.size / 2).max() / (math.sqrt(x.size) / 2))


def test_avalanche_of_counter_step_and_key() -> None:
    """Every bit of counter, step and key flips each bit of the result half of the time."""
    n = 2**17
    x = word_draw(n, 5)
    for bit in range(17):
        assert worst_flip(x, x[np.arange(n) ^ (1 << bit)]) < LIMIT * math.sqrt(2), bit  # each pair occurs twice
    for bit in range(31):
        assert worst_flip(x, word_draw(n, 5 ^ (1 << bit))) < LIMIT, bit
        assert worst_flip(x, word_draw(n, 5, KEY ^ (1 << bit))) < LIMIT, bit


def test_each_word_of_the_state_matters_alone() -> None:
    """Draws whose states share one of two words are independent too."""
    start = np.array([[123], [456]], dtype="int32")
    x = counter_words(start)
    for row in (0, 1):
        for bit in range(31):
            other = start.copy()
            other[row] ^= 1 << bit
            assert worst_flip(x, counter_words(other)) < LIMIT, (row, bit)


def counter_words(start: Any) -> Any:
    return random_words(start, 2**17, None).view("uint32")


NEIGHBOURS = [(0, KEY + 1), (1, KEY), (2, KEY), (1, KEY + 1), (2**20, KEY), (0, KEY ^ 2**30)]


@pytest.mark.parametrize(("step", "key"), NEIGHBOURS)
def test_neighbouring_streams_are_independent(step: int, key: int) -> None:
    """No correlation at any shift, no more common words than by chance, and no two successive ones."""
    n = 2**18
    first, second = word_draw(n), word_draw(n, step, key)
    spectra = [np.fft.rfft(x * 2.0**-32 - 0.5) for x in (first, second)]
    correlations = np.fft.irfft(spectra[0] * np.conj(spectra[1])) * 12 / math.sqrt(n)
    assert np.abs(correlations).max() < 6.5  # of 2**18 values; 1 in 5e4
    common = np.intersect1d(first, second).size
    expected = n * n / 2**32
    assert abs(common - expected) < LIMIT * math.sqrt(expected) + 1
    pairs = [x[:-1].astype("uint64") << np.uint64(32) | x[1:] for x in (first, second)]
    assert np.intersect1d(*pairs).size == 0


def test_draws_that_share_one_word_of_their_state_are_independent() -> None:
    """With a 32-bit state, draws would coincide: the mask of one layer with that of another at another step."""
    firsts = np.array([streams._words_of(key)[0] for key in range(5000)])
    order = np.argsort(firsts)
    at = np.argmin(np.diff(firsts[order]))
    key, other = (int(each) for each in order[at : at + 2])
    step = int(firsts[key] ^ firsts[other])
    assert 0 < step < 2**20
    with use_backend("numpy") as backend:
        starts = [streams._start(backend.xp, k, asarray(np.array([s], "int32"))) for k, s in ((key, 0), (other, step))]
    assert starts[0][0] == starts[1][0]
    assert worst_flip(word_draw(2**18, 0, key), word_draw(2**18, step, other)) < LIMIT
