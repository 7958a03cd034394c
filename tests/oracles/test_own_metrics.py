"""Metrics of subclasses and functions, in `fit` and `evaluate`, against Keras 3."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers

pytestmark = pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning")
X = np.random.default_rng(0).normal(size=(12, 3)).astype("float32")
CLASSES = np.arange(12) % 3


def changed_input(library: Any) -> Any:
    class Rounded(library.metrics.MeanSquaredError):
        def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
            return super().update_state(y_true, library.ops.round(y_pred), sample_weight)

    return Rounded(name="m")


def changed_result(library: Any) -> Any:
    class Root(library.metrics.MeanSquaredError):
        def result(self) -> Any:
            return library.ops.sqrt(super().result())

    return Root(name="m")


def never_reset(library: Any) -> Any:
    class OverAllEpochs(library.metrics.MeanSquaredError):
        def reset_state(self) -> None:
            pass

    return OverAllEpochs(name="m")


def number(library: Any) -> Any:
    def m(y_true: Any, y_pred: Any) -> float:
        return 0.25

    return m


@pytest.mark.parametrize("make", [changed_input, changed_result, never_reset, number])
def test_as_keras(backend: Any, make: Any) -> None:
    keras = pytest.importorskip("keras")
    results, weights = [], None
    for library, module in ((portanet, layers), (keras, keras.layers)):
        model = library.Sequential([module.Input((3,)), module.Dense(1)])
        if weights is not None:
            model.set_weights(weights)
        weights = model.get_weights()
        model.compile(library.optimizers.SGD(0.1), "mse", metrics=[make(library)])
        history = model.fit(X, CLASSES, epochs=2, batch_size=5, shuffle=False, verbose=0).history
        results.append([*history["loss"], *history["m"], *model.evaluate(X, CLASSES, verbose=0)])
    np.testing.assert_allclose(*results, rtol=1e-4)
