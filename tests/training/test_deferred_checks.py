"""Targets of streamed batches that are on a device already: checked as on the host, without waiting for them."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, losses, metrics
from portanet.training.data import deferred
from tests.support import to_numpy

X = np.random.default_rng(0).normal(size=(4, 3)).astype("float32")
GOOD: Any = [0, 1, 2, 1]


@pytest.fixture(autouse=True)
def slow_to_read(request: pytest.FixtureRequest, backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading values waits for the device, as on a GPU."""
    if backend.name == "numpy" and "few_values" not in request.node.name:
        pytest.skip("NumPy's arrays are on the host")
    monkeypatch.setattr(type(backend), "cost_of_reading", classmethod(lambda cls, x: "waits"))


def network(loss: Any, chosen: Any = (), units: int = 3, shape: Any = (3,)) -> Any:
    portanet.random.set_seed(0)
    last = layers.Dense(units, "softmax")
    model = portanet.Sequential([layers.Input(shape), last])
    model.compile("sgd", loss, metrics=list(chosen))
    return model


def stream(*targets: Any, x: Any = X, dtype: str = "int32") -> Iterator[Any]:
    for y in targets:
        y = np.asarray(y)
        yield portanet.asarray(x), portanet.asarray(y, dtype if y.dtype.kind == "i" else None)


def one_hot(value: float) -> Any:
    rows = np.eye(3, dtype="float32")[GOOD]
    rows[2, 2] = value
    return rows


class EvenSums(losses.Loss):
    """A user's loss, with a check of whole rows."""

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return (y_true - y_pred)[:, 0] ** 2

    def check_targets(self, y: Any, classes: int | None) -> None:
        if (y.sum(axis=1) % 2).any():
            raise ValueError(f"odd rows. Received: {y.shape[-1]} columns")


SPARSE = losses.SparseCategoricalCrossentropy
CASES: dict[str, Any] = {
    "too large": (
        lambda: network(SPARSE()),
        GOOD,
        [0, 1, 3, 1],
        r"Loss .*from 0 to 2.*Received: y from 0 to 3",
    ),
    "negative": (lambda: network(SPARSE()), GOOD, [0, 1, -1, 1], r"Loss .*Received: y from -1 to "),
    "ignored": (lambda: network(SPARSE(ignore_class=255)), [255, 1, 2, 0], [255, 7, 2, 0], "Received: y from 0 to 7"),
    "all ignored": (lambda: network(SPARSE(ignore_class=-1)), [-1] * 4, [-1, -1, -1, 3], "Received: y from .* to 3"),
    "fractions": (
        lambda: network(SPARSE()),
        [0.0, 1.0, 2.0, 1.0],
        [0.0, 0.5, 2.0, 1.0],
        "with fractions",
    ),
    "one-hot": (lambda: network("categorical_crossentropy"), one_hot(1), one_hot(1.5), r"from 0 to 1.*to 1\.5"),
    "probabilities": (lambda: network("kl_divergence"), one_hot(0.5), one_hot(-0.5), r"Received: y from -0\.5"),
    "counts": (lambda: network("poisson"), one_hot(7), one_hot(-7), "of at least 0"),
    "intersection": (
        lambda: network(lambda y_true, y_pred: y_pred[:, 0], [metrics.MeanIoU(3, ignore_class=7)]),
        [7, 0, 1, 2],
        [7, 0, 1, 5],
        r"Metric 'mean_io_u'.*Received: y from 0 to 5",
    ),
    "several checks": (
        lambda: network(SPARSE(ignore_class=9), ["accuracy", metrics.SparseTopKCategoricalAccuracy(2)]),
        [9, 1, 2, 0],
        [9, 1, 2, 4],
        "Received: y from . to 4",
    ),
    "rows": (lambda: network(EvenSums()), 2 * one_hot(1), one_hot(1), "odd rows. Received: 3 columns"),
    "padding": (
        lambda: network("ctc", shape=(5, 3)),
        [[1, 2, 0]] * 4,
        [[1, 2, 0], [1, 0, 2], [1, 2, 0], [1, 2, 0]],
        "a label after a 0",
    ),
}


@pytest.mark.parametrize("prefetch", [0, 2])
@pytest.mark.parametrize("case", CASES)
def test_as_on_the_host(backend: Any, case: str, prefetch: int) -> None:
    make, good, bad, message = CASES[case]
    x = np.ones((4, 5, 3), "float32") if case == "padding" else X
    for targets in ([bad], [good, bad, good], [good] * 3):
        model = make()
        host = portanet.Sequential(model.layers)
        host.compile("sgd", model.loss, metrics=model._settings["metrics"])
        if any(y is bad for y in targets):
            with pytest.raises(ValueError, match=message) as caught:
                model.fit(stream(*targets, x=x), verbose=0, prefetch=prefetch)
            assert f"In one of the last {len(targets)} batches" in "".join(caught.value.__notes__)
            with pytest.raises(ValueError, match=message):
                model.evaluate(stream(*targets, x=x), verbose=0, prefetch=prefetch)
            with pytest.raises(ValueError, match=message):
                host.evaluate(x, np.asarray(bad), verbose=0)
        else:
            model.fit(stream(*targets, x=x), verbose=0, prefetch=prefetch)
            model.evaluate(stream(*targets, x=x), verbose=0, prefetch=prefetch)


def test_metrics_too(backend: Any) -> None:
    model = portanet.Sequential([layers.Input((3,)), layers.Dense(1, "sigmoid")])
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=[metrics.Precision()])
    good, bad = np.asarray([[0.0], [1], [1], [0]], "float32"), np.asarray([[0.0], [1], [2], [0]], "float32")
    model.fit(stream(good, good), verbose=0)
    with pytest.raises(ValueError, match=r"Metric 'precision' needs values from 0 to 1.*Received: y from 0.0 to 2.0"):
        model.fit(stream(good, bad), verbose=0)


def test_several_outputs(backend: Any) -> None:
    x = layers.Input((3,))
    outputs = [layers.Dense(3, "softmax", name="kind")(x), layers.Dense(1, name="size")(x)]
    model = portanet.Model(x, outputs)
    model.compile("sgd", ["sparse_categorical_crossentropy", "mse"])

    def batches(labels: Any) -> Iterator[Any]:
        for y in (GOOD, labels):
            yield portanet.asarray(X), [portanet.asarray(y, "int32"), portanet.asarray(X[:, :1] * 100)]

    model.fit(batches(GOOD), verbose=0)
    with pytest.raises(ValueError, match=r"numbers from 0 to 2.*Received: y from 0 to 8"):
        model.fit(batches([0, 8, 1, 1]), verbose=0)
    model.compile("sgd", ["sparse_categorical_crossentropy", None])
    for labels, fine in ((GOOD, True), ([0, 8, 1, 1], False)):
        alone = ((portanet.asarray(X), [portanet.asarray(y, "int32"), None]) for y in (GOOD, labels))
        with contextlib.nullcontext() if fine else pytest.raises(ValueError, match="Received: y from 0 to 8"):
            model.fit(alone, verbose=0)


def test_each_epoch(backend: Any) -> None:
    model = network(SPARSE())
    with pytest.raises(ValueError, match="Received: y from 0 to 3"):
        model.fit(stream(GOOD, GOOD, [3, 0, 0, 0], GOOD), steps_per_epoch=2, epochs=2, verbose=0)
    assert model.position.epoch == 1


def test_whole_targets_do_not_pile_up(backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deferred, "ELEMENTS", 30)
    model = network(EvenSums())
    with pytest.raises(ValueError, match="odd rows") as caught:
        model.fit(stream(*[2 * one_hot(1)] * 3, one_hot(1), *[2 * one_hot(1)] * 20), verbose=0, prefetch=0)
    assert "last 3 batches" in caught.value.__notes__[0]


def test_dtypes_that_change(backend: Any) -> None:
    batches = [*stream(GOOD), *stream(GOOD, dtype="uint8"), *stream([0.0, 2.0, 1.0, 1.0]), *stream([True] * 4)]
    network(SPARSE()).fit(iter(batches * 2), verbose=0)
    with pytest.raises(ValueError, match="Received: y from 0 to 9"):
        network(SPARSE()).fit(iter([*batches, *stream([0, 9, 1, 1], dtype="uint8"), *batches]), verbose=0)


def test_steps_wait_for_nothing(backend: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    model = network(SPARSE(), ["accuracy"])
    model.fit(stream(GOOD, GOOD), verbose=0)
    reads: Counter[str] = Counter()
    to_host = type(backend).to_host
    counting = classmethod(lambda cls, x: (reads.update(["to_host"]), to_host(x))[1])
    monkeypatch.setattr(type(backend), "to_host", counting)
    seen = []

    class Look(portanet.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append(reads["to_host"])

    batches = list(stream(*[GOOD] * 6))
    model.fit(iter(batches), verbose=0, prefetch=0, callbacks=[Look()])
    assert set(seen) == {seen[0]}
    assert reads["to_host"] > seen[0]


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "float32", "bool"])
@pytest.mark.parametrize("ignored", [(), (1,), (0, 255), (-1,), (-128, 127)])
def test_few_values_tell_as_much_as_all(backend: Any, dtype: str, ignored: Any) -> None:
    rng = np.random.default_rng(1)
    for low, high in ((0, 2), (1, 2), (0, 100), (0, 9)):
        values = rng.integers(low, high, (3, 4)).astype(dtype)
        if dtype == "float32" and high == 9:
            values[1, 1] += 0.5
        if dtype == "int8":
            values[0, :2] = -128, 127
        few = to_numpy(deferred.telling(portanet.asarray(values, dtype), ignored)).astype("float64")
        assert set(few) <= set(values.astype("float64").ravel())
        for check in (
            lambda v: np.min(v, initial=50.0),
            lambda v: np.max(v, initial=-50.0),
            lambda v: (v % 1).any(),
        ):
            whole = values.astype("float64").ravel()
            assert check(few[~np.isin(few, ignored)]) == check(whole[~np.isin(whole, ignored)])
        assert set(few) & set(ignored) == set(values.astype("float64").ravel()) & set(ignored)


@pytest.mark.filterwarnings("ignore:invalid value encountered in cast")
def test_nan_in_labels(backend: Any) -> None:
    with pytest.raises(ValueError, match="with fractions"):
        network(SPARSE()).fit(stream([0.0, float("nan"), 1.0, 1.0]), verbose=0)
