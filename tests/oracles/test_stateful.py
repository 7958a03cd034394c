"""States of recurrent layers in fit, evaluate and predict against Keras 3."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers

# Keras warns of its own use of NumPy.
pytestmark = pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning", "ignore::UserWarning")
KINDS = ("SimpleRNN", "LSTM", "GRU", "Bidirectional", "stacked")
X = np.random.default_rng(0).normal(size=(12, 3, 2)).astype("float32")
Y = X.sum(axis=(1, 2))[:, None]


def recurrent(module: Any, kind: str, **options: Any) -> Any:
    """A stateful layer of portanet or Keras."""
    if kind == "Bidirectional":
        return module.Bidirectional(module.LSTM(3, **options))
    if kind == "stacked":
        return module.RNN([module.GRUCell(3), module.LSTMCell(2)], **options)
    return getattr(module, kind)(3, **options)


def network(kind: str) -> Any:
    portanet.random.set_seed(0)
    model = portanet.Sequential(
        [layers.Input((3, 2), batch_size=4), recurrent(layers, kind, stateful=True), layers.Dense(1)]
    )
    model.compile(portanet.optimizers.SGD(0.1), "mse")
    return model


@pytest.mark.parametrize("kind", KINDS)
def test_as_keras(backend: Any, kind: str) -> None:
    keras = pytest.importorskip("keras")
    model = network(kind)
    twin = keras.Sequential(
        [keras.Input((3, 2), batch_size=4), recurrent(keras.layers, kind, stateful=True), keras.layers.Dense(1)]
    )
    twin.compile(keras.optimizers.SGD(0.1), "mse")
    assert [w.shape for w in model.get_weights()] == [w.shape for w in twin.get_weights()]
    assert model.count_params() == twin.count_params()
    twin.set_weights(model.get_weights())
    quiet = {"batch_size": 4, "verbose": 0}

    def compare() -> None:
        np.testing.assert_allclose(model.predict(X, 4), twin.predict(X, 4, verbose=0), rtol=1e-4, atol=1e-5)

    def reset() -> None:
        model.layers[0].reset_states()
        twin.layers[0].reset_states()

    compare()
    compare()  # goes on from the first
    np.testing.assert_allclose(model.evaluate(X, Y, **quiet), twin.evaluate(X, Y, **quiet), rtol=1e-4)
    if kind == "stacked":
        return  # Keras cannot reset the states of several cells
    reset()
    compare()
    if kind != "SimpleRNN":
        return  # Keras on PyTorch cannot train the others with states: "modified by an inplace operation"
    options = {**quiet, "epochs": 2, "shuffle": False, "validation_data": (X[:8], Y[:8])}
    expected, result = twin.fit(X, Y, **options).history, model.fit(X, Y, **options).history
    for name, values in expected.items():
        np.testing.assert_allclose(result[name], values, rtol=1e-4, err_msg=name)
    compare()


def padded(library: Any, kind: Any) -> Any:
    """Two stateful layers, in a graph of words with padding."""
    words = kind.Input((4,), batch_size=4, dtype="int32")
    x = kind.Embedding(5, 3, mask_zero=True)(words)
    x = kind.SimpleRNN(3, return_sequences=True, stateful=True, name="first")(x)
    x = kind.SimpleRNN(2, stateful=True, name="second")(x)
    return library.Model(words, kind.Dense(1)(x))


def test_padded_sequences(backend: Any) -> None:
    """Predictions, evaluation and training in turn: each goes on from the states of the last."""
    keras = pytest.importorskip("keras")
    words = np.random.default_rng(1).integers(0, 5, (12, 4))
    words[::3, 2:] = 0
    y = words.sum(axis=1, keepdims=True).astype("float32")
    portanet.random.set_seed(0)
    model, twin = padded(portanet, layers), padded(keras, keras.layers)
    twin.set_weights(model.get_weights())
    model.compile(portanet.optimizers.SGD(0.05), "mse")
    twin.compile(keras.optimizers.SGD(0.05), "mse")
    quiet = {"batch_size": 4, "verbose": 0}
    for turn in range(2):
        np.testing.assert_allclose(model.predict(words, **quiet), twin.predict(words, **quiet), rtol=1e-4, atol=1e-5)
        np.testing.assert_allclose(model.evaluate(words, y, **quiet), twin.evaluate(words, y, **quiet), rtol=1e-4)
        options = {**quiet, "shuffle": False, "epochs": 2, "validation_split": 1 / 3}
        result, expected = model.fit(words, y, **options).history, twin.fit(words, y, **options).history
        for name, values in expected.items():
            np.testing.assert_allclose(result[name], values, rtol=1e-4, err_msg=name)
        np.testing.assert_allclose(
            model.predict_on_batch(words[:4]), twin.predict_on_batch(words[:4]), rtol=1e-4, atol=1e-5
        )
        if turn == 0:
            for each in (model, twin):
                each.get_layer("second").reset_states()  # the first goes on
    for weight, value in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_allclose(weight, value, rtol=1e-3, atol=1e-5)
