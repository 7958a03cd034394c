"""Arithmetic of windows, which needs no array library."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import portanet
from portanet.backends import Backend
from portanet.fused.windows import EXTENSIONS, extend, interleave, pad, window
from tests.support import assert_equal


@pytest.mark.parametrize("n", [7, 8, 28])
@pytest.mark.parametrize("f", [1, 2, 3, 5])
def test_sizes_of_valid_same_and_full(n: int, f: int) -> None:
    result = {p: window((n,), (f,), padding=p).positions((n,))[0] for p in ("valid", "same", "full", "causal")}
    assert result == {"valid": n - f + 1, "same": n, "full": n + f - 1, "causal": n}


def test_places_are_those_that_fit() -> None:
    for n, f, s, d, (a, b) in itertools.product(range(1, 9), (1, 2, 3), (1, 2, 3), (1, 2), ((0, 0), (1, 2))):
        slid = window((n,), (f,), s, ((a, b),), d)
        starts = [i for i in range(0, n + a + b, s) if i + (f - 1) * d < n + a + b]
        assert slid.positions((n,)) == (len(starts),)


def test_same_puts_the_odd_zero_after() -> None:
    assert window((10,), (4,), padding="same").padding == ((1, 2),)
    assert window((10,), (3,), 2, "same").padding == ((0, 1),)


def test_padding_is_written_in_several_ways() -> None:
    expected = ((1, 1), (2, 2))
    assert window((5, 5), (3, 3), padding=(1, 2)).padding == expected
    assert window((5, 5), (3, 3), padding=((1, 1), (2, 2))).padding == expected
    assert window((5, 5), (3, 3), padding=1).padding == ((1, 1), (1, 1))


@pytest.mark.parametrize("wrong", ["VALID?", -1, (1, 2, 3), ((1, -1), (0, 0)), (True, 1, 1)])
def test_wrong_padding(wrong: object) -> None:
    with pytest.raises(ValueError, match=r"Argument `padding` must be .*Received: padding="):
        window((5, 5), (3, 3), padding=wrong)


def test_wrong_strides_and_axes() -> None:
    with pytest.raises(ValueError, match=r"Argument `strides` must be .*Received: strides=0"):
        window((5,), (3,), 0)
    with pytest.raises(ValueError, match=r"spatial axes. Received: \(5, 5\)"):
        window((5, 5), (3,))


@pytest.mark.parametrize(
    "margins", [((0, 0), (0, 0)), ((1, 2), (0, 3)), ((-1, 2), (1, -2)), ((-1, -1), (0, 0)), ((-9, 12), (9, -8))]
)
def test_pad_adds_and_cuts_off(backend: Backend, margins: tuple[tuple[int, int], ...]) -> None:
    x = np.arange(2 * 4 * 5 * 2, dtype="float32").reshape(2, 4, 5, 2)
    wide = np.pad(x, ((0, 0), (20, 20), (20, 20), (0, 0)), constant_values=7.0)
    rows, columns = (slice(20 - a, 20 + n + b) for n, (a, b) in zip((4, 5), margins, strict=True))
    assert_equal(pad(backend.xp, portanet.asarray(x), margins, 7.0), wide[:, rows, columns])


@pytest.mark.parametrize("counts", [(1, 1, 1), (2, 1, 1), (1, 1, 3), (2, 3, 2), (1, 2, 2)])
def test_interleave_undoes_strided_slices(backend: Backend, counts: tuple[int, ...]) -> None:
    space = (3, 5, 4)
    x = np.random.default_rng(0).standard_normal((2, *space, 2)).astype("float32")
    wide = np.pad(x, ((0, 0), *((0, -n % c) for n, c in zip(space, counts, strict=True)), (0, 0)))
    parts = [
        portanet.asarray(wide[(slice(None), *(slice(i, None, c) for i, c in zip(place, counts, strict=True)))])
        for place in itertools.product(*map(range, counts))
    ]
    assert_equal(interleave(backend.xp, parts, counts, space), x)


@pytest.mark.parametrize("mode", EXTENSIONS)
def test_axes_without_elements_are_not_extended(mode: str) -> None:
    x = np.ones((2, 0, 3))
    assert extend(np, x, ((0, 0), (1, 1)), mode).shape == (2, 0, 5)
    with pytest.raises(ValueError, match="An axis of 0 elements is too short"):
        extend(np, x, ((1, 0), (0, 0)), mode)
