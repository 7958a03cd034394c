"""Small things in which fit, evaluate, predict and graphs behave as in Keras."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import callbacks, layers, losses, metrics, mixed_precision, optimizers
from portanet.callbacks import Callback
from tests.support import asarray, assert_close, to_numpy

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
Y = X[:, :1]


def compiled() -> Any:
    model = portanet.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    return model


class Recorder(Callback):
    """Notes what is called; ends evaluations and predictions after two batches."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def on_train_end(self, logs: Any = None) -> None:
        self.calls.append(dict(logs))

    def on_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.calls.append(("begin", batch))

    def on_batch_end(self, batch: int, logs: Any = None) -> None:
        self.calls.append(("end", batch, sorted(logs)))

    def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
        self.model.stop_evaluating = batch == 1

    def on_predict_batch_end(self, batch: int, logs: Any = None) -> None:
        self.model.stop_predicting = batch == 1


def test_logs_at_the_end_and_hooks_of_batches(backend: Any) -> None:
    recorder = Recorder()
    history = compiled().fit(X, Y, 4, epochs=2, verbose=0, callbacks=[recorder])
    epoch = [("begin", 0), ("end", 0, ["loss"]), ("begin", 1), ("end", 1, ["loss"])]
    assert recorder.calls == [*epoch, *epoch, {"loss": history.history["loss"][-1]}]


def test_the_hook_of_training_comes_before_that_of_any_batch() -> None:
    class Both(Recorder):
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            self.calls.append("train")

    both = Both()
    compiled().fit(X, Y, 8, verbose=0, callbacks=[both])
    assert both.calls[:2] == ["train", ("end", 0, ["loss"])]


def test_evaluations_and_predictions_can_be_ended(backend: Any) -> None:
    model = compiled()
    loss = model.evaluate(X, Y, 2, verbose=0, callbacks=[Recorder()])
    assert_close(asarray(np.asarray(loss)), model.evaluate(X[:4], Y[:4], verbose=0), rtol=1e-6)
    assert model.evaluate(X, Y, 2, verbose=0) != loss
    assert model.predict(X, 2, callbacks=[Recorder()]).shape == (4, 1)
    assert model.predict(X, 2).shape == (8, 1)


def test_masks_differ_between_batches_of_predict(backend: Any) -> None:
    x = layers.Input((16,))
    model = portanet.Model(x, layers.Dropout(0.5, seed=1)(x, training=True))
    first, second = np.split(model.predict(np.ones((4, 16)), 2), 2)
    assert (first != second).any()


def test_a_tuple_of_outputs_stays_one(backend: Any, tmp_path: pathlib.Path) -> None:
    x = layers.Input((3,))
    model = portanet.Model(x, (layers.Dense(1)(x), layers.Dense(2)(x)))
    model.save(tmp_path / "model.safetensors")
    for other in (model, portanet.models.clone_model(model), portanet.load_model(tmp_path / "model.safetensors")):
        for out in (other(asarray(X)), other.predict(X), other.output):
            assert type(out) is tuple
            assert len(out) == 2


@pytest.mark.parametrize("make", [layers.LayerNormalization, layers.RMSNormalization, layers.UnitNormalization])
def test_the_last_axis_is_that_of_each_input(make: Any, backend: Any) -> None:
    layer = make()
    x = np.random.default_rng(1).normal(size=(2, 4, 4))
    layer(asarray(x[0]))
    assert_close(layer(asarray(x))[1, ...], to_numpy(layer(asarray(x[1]))), rtol=1e-5)


@pytest.mark.parametrize("make", [layers.BatchNormalization, lambda: layers.GroupNormalization(2)])
def test_the_number_of_axes_is_that_of_the_first_input(make: Any, backend: Any) -> None:
    layer = make()
    layer(asarray(np.ones((2, 4))))
    with pytest.raises(ValueError, match=r"needs inputs of 2 axes, like the first\. Received: shape \(2, 4, 4\)"):
        layer(asarray(np.ones((2, 4, 4))))


def test_the_adjusted_score(backend: Any) -> None:
    y, p = asarray(np.asarray([1.0, 2.0, 3.0, 4.0])), asarray(np.asarray([1.0, 2.0, 3.0, 3.0]))
    assert abs(metrics.R2Score("uniform_average", 2)(y, p) - 0.4) < 1e-6  # 1 - (1 - 0.8) * 3 / 1
    assert abs(metrics.R2Score("uniform_average", 3)(y, p) - 0.8) < 1e-6
    assert metrics.R2Score("uniform_average", 2).name == "r2_score"


def test_backup_leaves_no_folder(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "backup"
    compiled().fit(X, Y, verbose=0, callbacks=[callbacks.BackupAndRestore(folder)])
    assert not folder.exists()
    folder.mkdir()
    (folder / "notes").touch()
    compiled().fit(X, Y, verbose=0, callbacks=[callbacks.BackupAndRestore(folder)])
    assert [path.name for path in folder.iterdir()] == ["notes"]


@pytest.mark.parametrize("name", ["ce", "CrossEntropy"])
@pytest.mark.parametrize(
    ("targets", "units", "same"),
    [
        (np.arange(8) % 3, 3, "sparse_categorical_crossentropy"),
        (np.arange(8)[:, None] % 3, 3, "sparse_categorical_crossentropy"),
        (np.eye(3, dtype="float32")[np.arange(8) % 3], 3, "categorical_crossentropy"),
        (np.arange(8) % 2, 1, "binary_crossentropy"),
    ],
)
def test_the_crossentropy_that_fits(
    name: str, targets: Any, units: int, same: str, backend: Any, tmp_path: pathlib.Path
) -> None:
    model = portanet.Sequential([layers.Input((3,)), layers.Dense(units, "softmax" if units > 1 else "sigmoid")])
    results = []
    for loss in (same, name):
        model.compile("sgd", loss, metrics=["Accuracy"])
        results.append(model.evaluate(X, targets, verbose=0))
    assert results[0] == pytest.approx(results[1], rel=1e-6)
    assert model.loss == name
    model.fit(X, targets, batch_size=4, verbose=0)
    model.save(tmp_path / "m.safetensors")
    assert portanet.load_model(tmp_path / "m.safetensors").loss == name
    if targets.dtype != "float32":
        with pytest.raises(ValueError, match="needs"):
            model.evaluate(X, targets + 7, verbose=0)


def test_only_compile_knows_the_crossentropy_that_fits() -> None:
    with pytest.raises(ValueError, match="Unknown loss"):
        losses.get("ce")
    with pytest.raises(ValueError, match="Unknown metric"):
        compiled().compile("sgd", "mse", metrics=["ce"])


class Counting(layers.Layer):
    """A layer with metrics in attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = metrics.Mean("mean")
        self.more = {"sums": [metrics.Sum("sum"), self.mean]}

    def call(self, x: Any) -> Any:
        return x


def test_metrics_of_layers() -> None:
    outer = layers.TimeDistributed(Counting())
    assert [metric.name for metric in outer.metrics] == ["mean", "sum"]
    for metric in outer.metrics:
        metric.update_state(X)
    assert len(outer.metrics_variables) == 3
    model = portanet.Sequential([layers.Input((4, 3)), outer, layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    assert [metric.name for metric in model.metrics] == ["loss", "mean", "sum"]
    assert layers.Dense(1).metrics == []
    assert mixed_precision.LossScaleOptimizer is optimizers.LossScaleOptimizer
    with pytest.raises(AttributeError, match="mixed_precision"):
        mixed_precision.Scale  # noqa: B018
