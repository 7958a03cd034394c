"""Restricted Boltzmann machines: against sums over all states of small machines."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import portanet
from portanet.autodiff import grad, lift
from portanet.backends import Backend
from portanet.layers import RBM
from portanet.variables import bind
from tests.layers.matrix import check_layer
from tests.support import assert_close, to_numpy


def test_matrix(backend: Backend) -> None:
    weights = {"kernel": (3, 4), "visible_bias": (3,), "hidden_bias": (4,)}
    check_layer(lambda: RBM(4), (2, 3), (2, 4), weights, unchanged=("visible_bias",))


def small(seed: int = 0) -> tuple[RBM, list[np.ndarray]]:
    portanet.random.set_seed(seed)
    generator = np.random.default_rng(seed)
    layer = RBM(2, seed=1)
    layer.build((None, 3))
    values = [generator.standard_normal(shape) for shape in ((3, 2), (3,), (2,))]
    layer.set_weights(values)
    return layer, values


STATES = np.asarray(list(itertools.product([0.0, 1.0], repeat=3)))
HIDDEN = np.asarray(list(itertools.product([0.0, 1.0], repeat=2)))


def test_free_energy_sums_over_the_hidden_states(backend: Backend) -> None:
    layer, (w, b, c) = small()
    energies = -(STATES @ w @ HIDDEN.T) - (STATES @ b)[:, None] - (HIDDEN @ c)[None, :]
    assert_close(layer.free_energy(portanet.asarray(STATES)), -np.log(np.exp(-energies).sum(axis=1)), rtol=1e-4)


def test_conditional_probabilities(backend: Backend) -> None:
    layer, (w, b, c) = small()
    assert_close(layer(portanet.asarray(STATES)), 1 / (1 + np.exp(-(STATES @ w + c))))
    assert_close(layer.visible(portanet.asarray(HIDDEN)), 1 / (1 + np.exp(-(HIDDEN @ w.T + b))))


def test_the_chain_comes_to_the_distribution_of_the_machine(backend: Backend) -> None:
    layer, _ = small()
    energies = to_numpy(layer.free_energy(portanet.asarray(STATES)))
    expected = np.exp(-energies) / np.exp(-energies).sum()
    drawn = to_numpy(layer.gibbs(portanet.asarray(np.zeros((4000, 3))), steps=20))
    assert set(np.unique(drawn)) <= {0.0, 1.0}
    result = np.bincount((drawn @ [4, 2, 1]).astype(int), minlength=8) / 4000
    np.testing.assert_allclose(result, expected, atol=0.03)


def test_draws_are_the_same_on_every_backend(backend: Backend) -> None:
    layer, _ = small()
    drawn = to_numpy(layer.gibbs(portanet.asarray(np.zeros((6, 3))), steps=3))
    with portanet.use_backend("numpy"):
        twin, _ = small()
        np.testing.assert_array_equal(drawn, twin.gibbs(np.zeros((6, 3), dtype="float32"), steps=3))


def test_the_gradient_is_the_difference_of_two_phases(backend: Backend) -> None:
    layer, (w, _, c) = small()
    v = portanet.asarray(STATES[[1, 6]])
    counter = layer.counter.value
    end = to_numpy(layer.gibbs(v))
    layer.counter.assign(counter)

    def loss(kernel):
        with bind({layer.kernel: kernel}):
            return layer.contrastive_divergence(lift(v))

    start = STATES[[1, 6]]
    phases = [x.T @ (1 / (1 + np.exp(-(x @ w + c)))) / 2 for x in (start, end)]
    assert_close(grad(loss)(layer.kernel.value), phases[1] - phases[0], rtol=1e-4, atol=1e-6)


def test_learning_two_patterns(backend: Backend) -> None:
    patterns = np.asarray([[1, 1, 0, 0], [0, 0, 1, 1]], dtype="float32")
    layer = RBM(3, seed=0)
    v = portanet.asarray(patterns)
    errors = [layer.learn(v, learning_rate=0.5) for _ in range(150)]
    assert errors[-1] < 0.05 < errors[0]


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"`units` of layer 'rbm' must be a positive integer. Received: units=-1"):
        RBM(-1)
    with pytest.raises(ValueError, match=r"\(batch, visible\). Received: shape \(3,\)"):
        RBM(2)(np.ones(3, dtype="float32"))
    with pytest.raises(ValueError, match=r"`k`.*Received: k=0"):
        RBM(2).learn(np.ones((1, 3), dtype="float32"), k=0)
