"""Ketkar 2-1 and 2-2: the ranges are those of independent runs over many seeds."""

from __future__ import annotations

import pytest

from tests.gallery.pages import load

page = load("foundations/polynomials")


@pytest.mark.parametrize("seed", range(12))
def test_too_simple_just_right_and_too_flexible(seed: int) -> None:
    line, parabola, eighth = (page.errors(degree, seed) for degree in (1, 2, 8))
    assert 3.3 < line[0] < 3.9
    assert 7.2 < line[1] < 8.0
    assert 0.7 < parabola[0] < 1.1
    assert 0.25 < parabola[1] < 0.85
    assert 0.65 < eighth[0] < 1.05
    assert 1.0 < eighth[1] < 200
    assert eighth[0] <= parabola[0] < line[0]
    assert parabola[1] < min(line[1], eighth[1])


@pytest.mark.parametrize("seed", range(3))
def test_a_penalty_tames_79_powers(seed: int) -> None:
    _, results = page.sweep(25, seed=seed)
    train, test, size = results.T.tolist()
    assert train == sorted(train)
    assert size == sorted(size, reverse=True)
    assert max(test) < page.errors(8, seed)[1]
