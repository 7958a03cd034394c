"""Radial basis functions."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet.backends import Backend
from portanet.layers import RBF
from tests.layers.matrix import check_layer
from tests.support import assert_close, to_numpy


@pytest.mark.parametrize("normalize", [False, True])
def test_matrix(backend: Backend, normalize: bool) -> None:
    check_layer(lambda: RBF(5, normalize), (4, 3), (4, 5), {"centers": (5, 3), "betas": (5,)})


@pytest.mark.parametrize("normalize", [False, True])
def test_matrix_of_local_planes(backend: Backend, normalize: bool) -> None:
    weights = {"centers": (5, 3), "betas": (5,)}
    check_layer(lambda: RBF(5, normalize, local_linear=True), (4, 3), (4, 20), weights)


def test_local_planes_are_taylor_polynomials(backend: Backend) -> None:
    """Units so narrow that one alone responds: the plane of that centre is the output."""
    layer = RBF(2, normalize=True, local_linear=True)
    layer.build((None, 2))
    layer.set_weights([[[0.0, 0.0], [3.0, 4.0]], [50.0, 50.0]])
    x = np.asarray([[0.1, -0.2], [3.2, 3.9]])
    slopes = np.asarray([[1.0, 2.0], [-3.0, 0.5]])
    weights = np.concatenate([[5.0, 7.0], slopes.ravel()])
    out = to_numpy(layer(portanet.asarray(x))) @ weights
    np.testing.assert_allclose(out, [5 + 0.1 - 0.4, 7 - 0.6 - 0.05], rtol=1e-5)


def test_values(backend: Backend) -> None:
    layer = RBF(2)
    layer.build((None, 2))
    layer.set_weights([[[0.0, 0.0], [3.0, 4.0]], [0.1, 0.02]])
    expected = np.exp([[0.0, -0.5], [-2.5, 0.0]])
    assert_close(layer(portanet.asarray([[0.0, 0.0], [3.0, 4.0]])), expected)


def test_normalised_units_sum_to_one_far_from_every_centre(backend: Backend) -> None:
    layer = RBF(3, normalize=True)
    out = to_numpy(layer(portanet.asarray([[1e3, -1e3], [0.0, 0.0]])))
    np.testing.assert_allclose(out.sum(axis=1), 1.0, rtol=1e-5)


def test_adapt_chooses_centres_and_the_width(backend: Backend) -> None:
    groups = np.asarray([[0.0, 0.0], [6.0, 8.0]])
    aside = np.asarray([0.1, 0.0])
    x = np.concatenate([groups + aside, groups - aside])
    layer = RBF(2)
    layer.adapt(x, seed=0)
    centers, betas = layer.get_weights()
    np.testing.assert_allclose(centers[np.argsort(centers[:, 0])], groups, atol=1e-6)
    np.testing.assert_allclose(betas, 2 / 10.0**2, rtol=1e-6)  # units / distance^2 = 1 / (2 width^2)
    layer.adapt(portanet.asarray(x), method="sample", seed=1)
    result = layer.get_weights()[0]
    assert all(any(np.allclose(c, row, atol=1e-6) for row in x) for c in result)
    assert not np.allclose(result[0], result[1])


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: RBF(0), "`units` of layer 'rbf' must be a positive integer. Received: units=0"),
        (lambda: RBF(2, local_linear=1), "`local_linear`.*Received: local_linear=1"),
        (lambda: RBF(2, beta=-1.0), "`beta`.*Received: beta=-1.0"),
        (lambda: RBF(2)(np.ones((2, 3, 4))), r"\(batch, features\). Received: shape \(2, 3, 4\)"),
        (lambda: RBF(5).adapt(np.ones((3, 2))), r"at most the number of examples, 3. Received: count=5"),
        (lambda: RBF(2).adapt(np.ones((3, 2)), method="grid"), "Received: method='grid'"),
    ],
)
def test_bad_input(use, message) -> None:
    with pytest.raises(ValueError, match=message):
        use()
