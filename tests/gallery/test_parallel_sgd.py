"""Late gradients: the page's rules against those of `portanet.distribution`, and what it says of delays."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet.distribution.downpour import adaptive_revision
from tests.gallery.pages import load

page = load("optimization/parallel_sgd")


@pytest.fixture(scope="module")
def data():
    return page.problem(400, 20)


def test_the_best_weights_have_no_slope(data):
    slopes = [page.slope(data, i, data["best"]) for i in range(400)]
    assert float(np.abs(np.sum(slopes, axis=0)).max()) < 1e-9
    assert page.excess(data, data["best"]) == 0.0


@pytest.mark.parametrize("delay", [0, 7])
def test_revised_steps_are_those_of_the_server(data, delay):
    rows = np.stack([np.zeros(20), np.zeros(20), np.full(20, 0.1), np.full(20, 0.1)])
    history = [rows]
    for i, weights in enumerate(page.late("AdaptiveRevision", data, 0.3, delay)):
        seen = history[max(0, i - delay)]
        rows = adaptive_revision(rows, page.slope(data, i, seen[0]), seen[1], 0.3)
        history.append(rows)
        assert np.allclose(weights, rows[0], rtol=1e-9, atol=1e-12)


def test_without_delay_the_rules_of_adagrad_are_one(data):
    pairs = zip(page.late("Adagrad", data, 0.3, 0), page.late("AdaptiveRevision", data, 0.3, 0), strict=True)
    assert all(np.allclose(a, b) for a, b in pairs)


def test_one_worker_alone_is_sgd(data):
    for a, b in zip(page.apart("local SGD", data, 0.1, 1, workers=1), page.late("SGD", data, 0.1, 0), strict=True):
        assert np.allclose(a, b)


def test_what_the_page_says():
    data = page.problem()
    losses = {
        rule: float(np.mean(page.best(data, rule, 256)[1][-6:])) for rule in ("SGD", "Adagrad", "AdaptiveRevision")
    }
    assert losses["AdaptiveRevision"] < 0.6 * losses["Adagrad"] < 0.6 * losses["SGD"]


def test_threads(data):
    with portanet.use_backend("numpy"):
        assert page.hogwild(data, 3)[-1] < 0.05 * page.excess(data, np.zeros(20))
