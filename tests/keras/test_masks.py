"""Masks in loops of the user's: losses and metrics on outputs, as in Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

STEPS = np.array([[1, 2, 0, 0], [3, 1, 2, 0]], "int32")
TARGETS = np.broadcast_to(np.arange(1.0, 5.0, dtype="float32")[:, None], (2, 4, 1))
WEIGHTS = np.array([2.0, 0.5], "float32")


def results(library: Any, convert: Any) -> list[Any]:
    constant = library.initializers.Constant(0.5)
    model = library.Sequential(
        [
            library.layers.Embedding(5, 3, mask_zero=True, embeddings_initializer=constant),
            library.layers.SimpleRNN(2, return_sequences=True, kernel_initializer="ones", recurrent_initializer="ones"),
            library.layers.Dense(1, kernel_initializer="ones"),
        ]
    )
    out, y = model(convert(STEPS)), convert(TARGETS.copy())
    found = [
        library.losses.get(name)(y, out) for name in ("mean_squared_error", "MeanAbsoluteError", "mae", "log_cosh")
    ]
    for reduction in ("sum_over_batch_size", "sum", None):
        loss = library.losses.MeanSquaredError(reduction=reduction)
        found += [loss(y, out), loss(y, out, sample_weight=convert(WEIGHTS[:, None] + np.zeros((2, 4), "float32")))]
    for metric in (library.metrics.MeanSquaredError(), library.metrics.MeanAbsolutePercentageError()):
        metric.update_state(y, out)
        metric.update_state(y, out, sample_weight=convert(WEIGHTS[:, None] + np.zeros((2, 4), "float32")))
        found.append(metric.result())
    return found


def test_losses_and_metrics_of_masked_outputs() -> None:
    with portanet.use_backend("numpy"):
        ours = results(portanet, portanet.asarray)
    theirs = results(keras, keras.ops.convert_to_tensor)
    for own, other in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(portanet.to_host(own), other.detach().numpy(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("loss", ["Dice", "Tversky", "own"])
def test_losses_that_are_one_number(loss: str) -> None:
    """They have no steps to leave out: by hand and in `fit`."""
    found = []
    for library in (portanet, keras):

        class Own(library.losses.Loss):  # type: ignore[misc]
            def call(self, y_true: Any, y_pred: Any) -> Any:
                return library.ops.mean((y_true - y_pred) ** 2)  # noqa: B023

        L = library.layers
        constant = library.initializers.Constant(0.5)
        model = library.Sequential(
            [
                L.Embedding(5, 3, mask_zero=True, embeddings_initializer=constant),
                L.Dense(4, "softmax", kernel_initializer="ones", bias_initializer=library.initializers.Constant(0.1)),
            ]
        )
        chosen = Own() if loss == "own" else getattr(library.losses, loss)()
        y = np.eye(4, dtype="float32")[np.array([[1, 2, 3, 0], [2, 1, 0, 0]])]
        by_hand = chosen(library.ops.convert_to_tensor(y), model(library.ops.convert_to_tensor(STEPS)))
        model.compile("sgd", chosen)
        history = model.fit(STEPS, y, verbose=0).history["loss"]
        found.append([float(library.ops.convert_to_numpy(by_hand)), *history])
    np.testing.assert_allclose(found[0], found[1], rtol=1e-5)


def test_masks_of_symbolic_arrays() -> None:
    for library in (portanet, keras):
        steps = library.layers.Input((4,), dtype="int32")
        assert getattr(steps, "_keras_mask", None) is None
        embedded = library.layers.Embedding(5, 3, mask_zero=True)(steps)
        assert tuple(embedded._keras_mask.shape) == (None, 4)
