"""Ten layers before training: the numbers that Shanahan prints, in bands over seeds."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from tests.gallery.pages import load

page = load("foundations/initialisation")


@pytest.fixture(autouse=True)
def numpy_backend():
    with portanet.use_backend("numpy"):
        yield


def test_standard_deviations_are_the_document_s():
    """Within 6%; that of ReLU in layer 10 depends on the draw of the weights."""
    for name, (stddev, activation, first, last) in page.DOCUMENT.items():
        found = page.spreads(stddev, activation, seeds=2, examples=200)
        np.testing.assert_allclose(found[:, 0], first, rtol=0.06)
        if name == "1/sqrt(n/2), relu":
            assert np.all((found[:, -1] > 0.65) & (found[:, -1] < 1.15))
        elif activation == "tanh":
            np.testing.assert_allclose(found[:, -1], last, rtol=0.06, atol=1e-5)
        else:
            assert np.all((found[:, -1] > 0.65 * last) & (found[:, -1] < 1.5 * last))
    np.testing.assert_allclose(page.spreads(0.01, "tanh", seeds=1, examples=200)[0, 1], 0.0476, rtol=0.06)


def test_normalisation_makes_the_size_of_weights_meaningless():
    small, large = (
        page.outputs(page.network(stddev, "tanh", normalised=True), page.inputs(200), training=True)
        for stddev in (0.01, 1.0)
    )
    for values in (small, large):
        np.testing.assert_allclose([np.std(value) for value in values], 0.628, rtol=0.03)


def test_gamma_and_beta_recover_the_input():
    x = 3 * page.inputs(50) + 2
    np.testing.assert_allclose(page.undone(x), x, atol=1e-4)


def test_running_averages_are_those_of_the_data():
    mean, variance = page.running(batches=60)
    assert mean == pytest.approx(2, abs=0.3)
    assert variance == pytest.approx(9, rel=0.1)
