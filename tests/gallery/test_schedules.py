"""Schedules, against the formulas of the texts."""

from __future__ import annotations

import pytest

pytest.importorskip("sklearn")

import portanet
from tests.gallery.pages import load


def test_the_rates_are_those_of_the_formulas() -> None:
    page = load("optimization/schedules")
    with portanet.use_backend("numpy"):
        shapes = page.shapes(0.1, 400)
        steps = [shapes["/ 10 at 50 % and 75 %"](step) for step in (0, 200, 201, 300, 301)]
        assert steps == pytest.approx([0.1, 0.1, 0.01, 0.01, 0.001])
        assert shapes["eta / (1 + eta lambda t)"](50) == pytest.approx(0.1 / (1 + 0.1 * 0.1 * 50))
        assert shapes["exponential"](200) == pytest.approx(0.1 * 0.1)


def test_a_falling_rate_ends_lower_than_a_constant_one() -> None:
    page = load("optimization/schedules")
    with portanet.use_backend("numpy"):
        shapes = page.shapes(steps=200)
        assert page.train(shapes["exponential"], 200)[1] < page.train(shapes["constant"], 200)[1]
