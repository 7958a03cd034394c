"""Draws from normal distributions that a network describes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.autodiff import array_namespace, grad
from tests.layers.matrix import check_layer
from tests.support import asarray, assert_close, to_numpy


def first(x: Any) -> Any:
    """The first draw of the first layer of a program."""
    portanet.random.set_seed(4)
    return layers.Sampling()(x)


@pytest.mark.parametrize("training", [False, True])
def test_layer(backend: Any, training: bool) -> None:
    check_layer(layers.Sampling, [(4, 6), (4, 6)], (4, 6), {}, training=training)


def test_mean_and_spread(backend: Any) -> None:
    """In training and in inference, with new numbers in each call."""
    mean, log_variance = asarray(np.full((200, 100), 3.0)), asarray(np.full((200, 100), 2 * np.log(0.5)))
    layer = layers.Sampling(seed=1)
    codes = [to_numpy(layer([mean, log_variance], training=training)) for training in (False, True, False)]
    for code in codes:
        assert code.mean() == pytest.approx(3.0, abs=0.02)
        assert code.std() == pytest.approx(0.5, rel=0.03)
    assert np.abs(codes[0] - codes[2]).max() > 0.1


def test_the_noise_is_that_of_any_other_mean(backend: Any) -> None:
    noise = first([asarray(np.zeros((3, 2))), asarray(np.zeros((3, 2)))])
    mean, log_variance = np.arange(6.0).reshape(3, 2), np.linspace(-1, 1, 6).reshape(3, 2)
    code = first([asarray(mean), asarray(log_variance)])
    assert_close(code, mean + np.exp(log_variance / 2) * to_numpy(noise), rtol=1e-5)


def test_slopes() -> None:
    """1 by the mean, half of the deviation by the logarithm of the variance."""
    mean, log_variance = np.ones((2, 3)), np.full((2, 3), 0.4)

    def total(x: Any) -> Any:
        code = first(x)
        return array_namespace(code).sum(code)

    by_mean, by_variance = grad(total)([mean, log_variance])
    np.testing.assert_allclose(by_mean, 1.0)
    np.testing.assert_allclose(by_variance, (first([mean, log_variance]) - mean) / 2)


def test_predictions_of_a_model_differ(backend: Any) -> None:
    """As those of Keras's example do: the noise is drawn in `predict` too."""
    portanet.random.set_seed(0)
    inputs = layers.Input((3,))
    code = layers.Sampling()([layers.Dense(2)(inputs), layers.Dense(2)(inputs)])
    model = portanet.Model(inputs, code)
    x = np.ones((4, 3), dtype="float32")
    codes = [model.predict(x, verbose=0) for _ in range(5)] + [to_numpy(model(asarray(x))) for _ in range(5)]
    assert np.unique(np.round(np.stack(codes), 5)).size == 10 * 4 * 2


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"of one shape. Received: shapes \(2, 3\) and \(2, 4\)"):
        layers.Sampling()([np.ones((2, 3)), np.ones((2, 4))])
    with pytest.raises(ValueError, match=r"takes a list of arrays: mean, log_variance. Received: one array"):
        layers.Sampling()(np.ones((2, 3)))
    with pytest.raises(ValueError, match=r"`seed` of layer 'sampling' must be .* Received: seed=-1"):
        layers.Sampling(seed=-1)
