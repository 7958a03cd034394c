from __future__ import annotations

import numpy as np
import pytest

from portanet import Sequential, initializers, layers
from portanet.backends import Backend, asarray
from tests.support import to_numpy


def batch(size: int = 200) -> np.ndarray:
    return np.random.default_rng(0).normal(2.0, 3.0, (size, 20))


def test_every_layer_gets_unit_variance(backend: Backend) -> None:
    model = Sequential([layers.Dense(40, "relu"), layers.Dense(30, "tanh"), layers.Dense(20)])
    reached = initializers.lsuv(model, batch(), tolerance=0.01)
    assert list(reached) == [f"{layer.name}/kernel" for layer in model.sublayers().values()]
    h = asarray(batch())
    for layer in model.sublayers().values():
        kernel, bias = layer.get_weights()
        z = to_numpy(h) @ kernel + bias
        assert z.var() == pytest.approx(1, abs=0.0101)
        assert reached[f"{layer.name}/kernel"] == pytest.approx(z.var(), rel=1e-3)
        # Still orthogonal, up to the scale.
        gram = kernel @ kernel.T if kernel.shape[0] < kernel.shape[1] else kernel.T @ kernel
        np.testing.assert_allclose(gram / gram[0, 0], np.eye(len(gram)), atol=1e-5)
        h = layer(h)


def test_the_model_is_left_as_it_was_but_for_its_kernels() -> None:
    model = Sequential([layers.Dense(10, "relu", bias_initializer="ones"), layers.Dropout(0.5), layers.Dense(3)])
    model(asarray(batch()))
    names = {key: sorted(vars(layer)) for key, layer in model.sublayers().items()}
    initializers.lsuv(model, batch())
    assert {key: sorted(vars(layer)) for key, layer in model.sublayers().items()} == names
    assert (model.get_weights()[1] == 1).all()
    assert model.sublayers()["dense"].activation is layers.Dense(1, "relu").activation


def test_a_constant_batch_is_refused() -> None:
    model = Sequential([layers.Dense(1)])
    with pytest.raises(ValueError, match=r"lsuv cannot scale layer 'dense': its results do not vary.*Received: x of"):
        initializers.lsuv(model, np.zeros((5, 3)))
    with pytest.raises(ValueError, match=r"`tolerance` of lsuv must be a positive number. Received: tolerance=0"):
        initializers.lsuv(model, batch(), tolerance=0)
