"""Radial basis functions and the logistic map: .15 and .084 in the text are errors of one draw of centres."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import portanet
from tests.gallery.pages import load


@pytest.fixture
def page() -> Iterator[object]:
    found = load("classics/rbf_logistic_map")
    found.train, found.test = found.series(0.3, 101), found.series(0.71, 101)
    with portanet.use_backend("numpy", dtype="float64"):
        yield found


def test_the_error_of_the_text_is_that_of_a_usual_draw(page) -> None:
    errors = page.errors_over_draws("plain, beta 5", 60)
    low, high = np.quantile(errors, [0.1, 0.75])
    assert low < 0.15 < high
    assert page.errors_over_draws("normalised, beta 6", 60).min() < 0.12


def test_one_projection_is_the_part_of_the_way(page) -> None:
    """After a step of size 1 the pair has no error; of size .3, seven tenths of it."""
    x, y = page.train[:1], page.train[1:2]
    for nu, left in ((1.0, 0.0), (0.3, 0.7)):
        network = page.Network(5.0)
        before = y - network(x)
        np.testing.assert_allclose(y - network.project(x, y, nu)(x), left * before, atol=1e-12)


@pytest.mark.parametrize(("kind", "limit"), [("plain, beta 5", 0.15), ("normalised, beta 6", 0.084)])
def test_least_squares_is_better_than_one_pass(page, kind: str, limit: float) -> None:
    assert page.rms(page.Network(**page.KINDS[kind]).solve(page.train[:-1], page.train[1:])) < limit / 5


def test_local_lines_forecast_longer(page) -> None:
    """Each step doubles an error: an error of .0004 is .4 after ten."""
    network = page.Network(**page.KINDS["local linear, beta 6"]).solve(page.train[:-1], page.train[1:])
    truth = page.series(0.71, 30)[:, 0]
    far = np.abs(page.forecast(network, 0.71) - truth)
    assert far[:6].max() < 0.05
    assert far.max() > 0.2


def test_control_brings_the_series_to_what_is_wanted(page) -> None:
    wish = np.full(60, 0.6)
    network = page.Network(**page.KINDS["normalised, beta 6"]).project(page.train[:-1], page.train[1:])
    distance = np.abs(page.controlled(network, wish) - wish)
    assert distance[:20].mean() > 0.2
    assert distance[40:].max() < 0.02
