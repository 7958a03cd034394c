"""States of recurrent layers, which go on from batch to batch in fit, evaluate and predict, and are no weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers

KINDS = ("SimpleRNN", "LSTM", "GRU", "stacked")
X = np.random.default_rng(0).normal(size=(12, 3, 2)).astype("float32")


def recurrent(kind: str, **options: Any) -> Any:
    if kind == "stacked":
        return layers.RNN([layers.GRUCell(3), layers.LSTMCell(2)], **options)
    return getattr(layers, kind)(3, **options)


def network(kind: str) -> Any:
    portanet.random.set_seed(0)
    model = portanet.Sequential([layers.Input((3, 2), batch_size=4), recurrent(kind, stateful=True), layers.Dense(1)])
    model.compile(portanet.optimizers.SGD(0.1), "mse")
    return model


@pytest.mark.parametrize("kind", KINDS)
def test_states_go_from_batch_to_batch(backend: Any, kind: str) -> None:
    """Two batches of halves of sequences are one of whole sequences."""
    model = network(kind)
    twin = portanet.Sequential([layers.Input((6, 2)), recurrent(kind), layers.Dense(1)])
    twin.set_weights(model.get_weights())
    whole = X[:8].reshape(4, 6, 2)
    halves = np.concatenate([whole[:, :3], whole[:, 3:]])
    np.testing.assert_allclose(model.predict(halves, 4)[4:], twin.predict(whole), rtol=1e-5, atol=1e-6)


def test_states_are_not_weights(backend: Any, tmp_path: Any) -> None:
    model = network("LSTM")
    states = [v.path for v in model.variables if v.counter]
    assert states == ["lstm/state_0", "lstm/state_1"]
    assert not {v.path for v in model.weights} & set(states)
    model.predict(X, 4)
    model.save_weights(tmp_path / "weights")
    plain = portanet.Sequential([layers.Input((3, 2)), layers.LSTM(3), layers.Dense(1)])
    plain.load_weights(tmp_path / "weights")
    plain.save_weights(tmp_path / "plain")
    model.load_weights(tmp_path / "plain")
    model.load_weights(tmp_path / "weights")
    model.set_weights(plain.get_weights())
    portanet.saving.load_keras_weights(model, {v.path: v.numpy() for v in plain.weights})


def test_modules_of_pytorch_need_no_states() -> None:
    torch = pytest.importorskip("torch")
    model, lstm, dense = network("LSTM"), torch.nn.LSTM(2, 3, batch_first=True), torch.nn.Linear(3, 1)
    weights = {f"lstm.{k}": v for k, v in lstm.state_dict().items()}
    weights |= {f"dense.{k}": v for k, v in dense.state_dict().items()}
    portanet.saving.load_torch_state_dict(model, {k: v.numpy() for k, v in weights.items()})
    with torch.no_grad():
        expected = dense(lstm(torch.from_numpy(X[:4]))[0][:, -1]).numpy()
    np.testing.assert_allclose(model.predict(X[:4], 4), expected, rtol=1e-4, atol=1e-5)


def test_a_saved_model_has_its_states(backend: Any, tmp_path: Any) -> None:
    model = network("LSTM")
    model.predict(X, 4)
    model.save(tmp_path / "model")
    loaded = portanet.load_model(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict(X, 4), model.predict(X, 4))


def test_watching_changes_no_state(backend: Any) -> None:
    model = network("LSTM")
    before = model.variables[-1].numpy()
    portanet.callbacks.ActivationMonitor(X[:4]).look(model)
    after = [v.numpy() for v in model.variables if v.counter]
    assert all((state == 0).all() for state in after)
    np.testing.assert_array_equal(before, model.variables[-1].numpy())


def test_masks_of_predict_differ_where_dropout_is_always_on(backend: Any) -> None:
    """The kind: whatever a call assigns in predict and evaluate holds for the next batch."""
    x = layers.Input((50,))
    model = portanet.Model(x, layers.Dropout(0.5)(x, training=True))
    first, second = model.predict(np.ones((2, 50), dtype="float32"), batch_size=1)
    assert (first != second).any()


def test_a_fixed_batch_size_is_not_that_of_the_data(backend: Any) -> None:
    model = portanet.Sequential([layers.Input((2,), batch_size=4), layers.Dense(1)])
    model.compile("sgd", "mse")
    x, y = np.ones((12, 2), "float32"), np.ones((12, 1), "float32")
    history = model.fit(x, y, batch_size=4, validation_data=(x[:8], y[:8]), epochs=2, verbose=0).history
    assert len(history["val_loss"]) == 2
    assert model.predict(x, batch_size=4, verbose=0).shape == (12, 1)
    assert model.evaluate(x, y, batch_size=4, verbose=0) >= 0.0
