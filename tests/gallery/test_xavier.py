"""The variance of a weighted sum of n independent terms is n times that of a term (NumpyDL documentation, 2.2.2)."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from tests.gallery.pages import load

page = load("foundations/xavier")


@pytest.fixture(autouse=True)
def numpy_backend():
    with portanet.use_backend("numpy"):
        portanet.random.set_seed(0)
        yield


def test_gains_are_the_number_of_terms_times_the_variance():
    rows = page.measured(sizes=(100, 400), variances=(0.005,))
    np.testing.assert_allclose(rows[:, 1], rows[:, 0], rtol=0.05)
    np.testing.assert_allclose(rows[:, 3], rows[:, 2], rtol=0.05)


def test_named_initializers():
    expected = {"LecunNormal": (1, 0.25), "GlorotNormal": (1.6, 0.4), "HeNormal": (2, 0.5)}
    for name, gains in page.compare().items():
        assert gains == pytest.approx(expected[name], rel=0.05)


@pytest.mark.parametrize(
    ("scale", "activation", "change"),
    [(0.5, None, 0.5), (1.0, None, 1.0), (2.0, None, 2.0), (1.0, "relu", 0.5), (2.0, "relu", 1.0)],
)
def test_gains_multiply_from_layer_to_layer(scale, activation, change):
    """The mean square is multiplied by scale in a linear layer, by half of that behind ReLU."""
    sizes = page.signal(scale, activation, depth=12)
    assert (sizes[-1] / sizes[0]) ** 2 == pytest.approx(change**12, rel=0.5)
