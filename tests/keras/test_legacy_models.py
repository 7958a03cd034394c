"""Whole models as HDF5 files, the format of Keras before version 3, in both directions."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest

import portanet
from portanet.backends import Backend
from tests.keras.common import start

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation", "ignore:HDF5 is the format")

MAKERS = {"keras": keras, "portanet": portanet}
X = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
Y = [np.ones((8, 2), "float32"), np.zeros((8, 1), "float32")]


def network(library: Any) -> Any:
    L = library.layers
    x = L.Input((4,), name="x")
    body = library.Sequential([L.Input((4,)), L.Dense(2, "relu", name="d"), L.BatchNormalization()], name="body")
    shared = L.Dense(2, kernel_regularizer="l2", name="shared")
    rows = L.Bidirectional(L.LSTM(1), name="both")(L.Reshape((2, 2))(x))
    first = L.Add(name="sum")([shared(shared(body(x))), rows])
    model = library.Model(x, [first, L.Dense(1, name="one")(L.Dropout(0.5)(first))])
    rate = library.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)
    losses, metrics = [library.losses.Huber(0.5), "mean_squared_error"], [["mae"], [library.metrics.MeanSquaredError()]]
    model.compile(library.optimizers.Adam(rate), losses, metrics=metrics, loss_weights=[1.0, 0.5])
    return model


@pytest.mark.parametrize("writer", MAKERS)
def test_models_go_both_ways(writer: str, backend: Backend, tmp_path: pathlib.Path) -> None:
    saved = network(MAKERS[writer])
    start(saved)
    saved.fit(X, Y, batch_size=4, verbose=0)
    saved.save(tmp_path / "m.h5")
    theirs, ours = keras.saving.load_model(tmp_path / "m.h5"), portanet.load_model(tmp_path / "m.h5")
    for one, two in zip(theirs.predict(X, verbose=0), ours.predict(X, verbose=0), strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)
    assert ours.evaluate(X, Y, verbose=0)[0] == pytest.approx(theirs.evaluate(X, Y, verbose=0)[0], rel=1e-4)
    assert ours.layers[1].name == theirs.layers[1].name


def test_training_continues(tmp_path: pathlib.Path) -> None:
    """The state of Keras's optimizer goes on here; Keras 3.15 itself does not restore it."""

    def stack(library: Any) -> Any:
        model = library.Sequential([library.layers.Input((4,)), library.layers.Dense(2, name="d")])
        model.compile(library.optimizers.SGD(0.1, momentum=0.9), "mse")
        return model

    saved = stack(keras)
    start(saved)
    saved.fit(X, Y[0], batch_size=4, verbose=0, shuffle=False)
    saved.save(tmp_path / "m.h5")
    ours = portanet.load_model(tmp_path / "m.h5")
    histories = [each.fit(X, Y[0], batch_size=4, verbose=0, shuffle=False).history["loss"] for each in (saved, ours)]
    assert histories[1] == pytest.approx(histories[0], rel=1e-4)


def test_loss_names_that_keras_does_not_find_here_are_written_in_full(tmp_path: pathlib.Path) -> None:
    model = portanet.Sequential([portanet.layers.Input((2,)), portanet.layers.Dense(1)])
    model.compile("sgd", "mse")
    model.save(tmp_path / "m.h5")
    assert keras.saving.load_model(tmp_path / "m.h5").loss is not None
