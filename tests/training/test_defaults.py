"""What fit, evaluate and predict do when nothing is said, and what they take in the less usual form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.callbacks import Callback
from tests.training.models import line, rows

X, Y = rows(70)


class Batches(Callback):
    """Sizes and order of the batches."""

    def __init__(self) -> None:
        self.trained: list[int] = []
        self.tested = self.predicted = 0

    def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.trained.append(self.model.batch[0].shape[0])

    def on_test_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.tested += 1

    def on_predict_batch_begin(self, batch: int, logs: Any = None) -> None:
        self.predicted += 1


def test_batches_of_32_once_through() -> None:
    seen = Batches()
    model = line()
    history = model.fit(X, Y, verbose=0, callbacks=[seen])
    assert seen.trained == [32, 32, 6]
    assert history.epoch == [0]
    assert history.params["batch_size"] == 32
    model.evaluate(X, Y, verbose=0, callbacks=[seen])
    model.predict(X, callbacks=[seen])
    assert (seen.tested, seen.predicted) == (3, 3)


def test_every_epoch_is_shuffled_and_validated_in_batches_of_the_same_size() -> None:
    seen = Batches()
    model = line(optimizer=portanet.optimizers.SGD(0.0))
    order: list[Any] = []

    class Order(Callback):
        def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
            order.append(np.asarray(self.model.batch[0])[:, 0])

    options = {"epochs": 2, "batch_size": 20, "verbose": 0}
    history = model.fit(X, Y, validation_data=(X, Y), callbacks=[seen, Order()], **options)
    assert seen.tested == 8  # four batches in each of two epochs
    assert len(history.history["val_loss"]) == 2
    first, second = np.concatenate(order[:4]), np.concatenate(order[4:])
    np.testing.assert_array_equal(np.sort(first), np.sort(X[:, 0]))
    np.testing.assert_array_equal(np.sort(second), np.sort(X[:, 0]))
    assert (first != X[:, 0]).any()
    assert (first != second).any()
    model.fit(X, Y, validation_data=(X, Y), validation_batch_size=70, callbacks=[seen], **options)
    assert seen.tested == 10
    model.fit(X, Y, validation_split=0.5, callbacks=[seen], **options)
    assert seen.tested == 14


@pytest.mark.parametrize("frequency", [2, 3, [2, 3], (3,), {1}, range(1, 3), frozenset([4])])
def test_epochs_of_validation(frequency: Any) -> None:
    model = line(optimizer=portanet.optimizers.SGD(0.1))
    history = model.fit(X, Y, epochs=4, verbose=0, validation_data=(X, Y), validation_freq=frequency).history
    chosen = {2: [2, 4], 3: [3]}.get(frequency) if isinstance(frequency, int) else sorted(frequency)
    assert len(history["val_loss"]) == len(chosen)
    expected = line(optimizer=portanet.optimizers.SGD(0.1))
    every = expected.fit(X, Y, epochs=4, verbose=0, validation_data=(X, Y)).history["val_loss"]
    assert history["val_loss"] == [every[epoch - 1] for epoch in chosen]


def test_validation_steps() -> None:
    model = line(optimizer=portanet.optimizers.SGD(0.0))
    history = model.fit(X, Y, batch_size=20, verbose=0, validation_data=(X, Y), validation_steps=2).history
    assert history["val_loss"][0] == pytest.approx(model.evaluate(X[:40], Y[:40], verbose=0), rel=1e-6)
    assert model.evaluate(X, Y, 20, steps=1, verbose=0) == pytest.approx(model.evaluate(X[:20], Y[:20], verbose=0))
    np.testing.assert_array_equal(model.predict(X, 20, steps=1), model.predict(X[:20], 20))
    split = model.fit(X, Y, batch_size=20, verbose=0, validation_split=0.5, validation_steps=1).history["val_loss"][0]
    assert split == pytest.approx(model.evaluate(X[35:55], Y[35:55], verbose=0), rel=1e-6)


def test_weights_in_columns(backend: Any) -> None:
    weight = np.linspace(0.1, 2.0, 70).astype("float32")
    flat, column = (
        line(metrics=["mse"], weighted_metrics=["mae"]).fit(
            X, Y, sample_weight=w, verbose=0, epochs=2, validation_data=(X, Y, w)
        )
        for w in (weight, weight[:, None])
    )
    assert flat.history == column.history
    model = line(metrics=["mse"], weighted_metrics=["mae"])
    results = [model.evaluate(X, Y, sample_weight=w, verbose=0) for w in (weight, weight[:, None])]
    assert results[0] == results[1]
    losses = [line().train_on_batch(X[:8], Y[:8], w[:8]) for w in (weight, weight[:, None])]
    assert losses[0] == losses[1]


@pytest.mark.parametrize("shape", [(4,), (4, 1), (4, 3), (4, 3, 1)])
def test_weights_of_steps_and_masks(backend: Any, shape: tuple[int, ...]) -> None:
    """Weights of examples or of steps, with a mask of steps: what is masked counts for nothing."""
    words = np.asarray([[1, 2, 0], [3, 0, 0], [2, 1, 3], [1, 1, 1]])
    targets = np.random.default_rng(0).normal(size=(4, 3, 2)).astype("float32")
    weight = np.random.default_rng(1).uniform(0.5, 2.0, shape).astype("float32")
    portanet.random.set_seed(0)
    x = layers.Input((3,), dtype="int32")
    model = portanet.Model(x, layers.Dense(2)(layers.Embedding(5, 2, mask_zero=True)(x)))
    model.compile("sgd", "mse", weighted_metrics=["mse"])
    each = ((model.predict(words) - targets) ** 2).mean(-1)
    shown = words != 0
    full = np.broadcast_to(weight.reshape(4, -1), (4, 3)) * shown
    loss, metric = model.evaluate(words, targets, sample_weight=weight, verbose=0)
    assert loss == pytest.approx((each * full).sum() / shown.sum(), rel=1e-5)
    assert metric == pytest.approx((each * full).sum() / full.sum(), rel=1e-5)


def test_data_sets_of_bare_arrays(backend: Any) -> None:
    """Batches that are an array, (x,) or [x], as a model without targets in them takes them in predict."""
    model = line()
    parts = [X[:32], X[32:64], X[64:]]
    expected = model.predict(X)

    class Numbered:
        def __init__(self, wrap: Any) -> None:
            self.wrap = wrap

        def __len__(self) -> int:
            return 3

        def __getitem__(self, index: int) -> Any:
            return self.wrap(parts[index])

    for wrap in (lambda a: a, lambda a: (a,), lambda a: [a], lambda a: (a, None), lambda a: (a, Y[:1])):
        np.testing.assert_array_equal(model.predict(Numbered(wrap)), expected)
        np.testing.assert_array_equal(model.predict(wrap(part) for part in parts), expected)
    with pytest.raises(
        ValueError, match=r"Argument `x` must give batches \(x, y\) .*Received: a batch of ndarray alone"
    ):
        model.fit((part for part in parts), verbose=0)
    with pytest.raises(
        ValueError, match=r"Argument `x` must give batches \(x, y\) .*Received: a batch of ndarray alone"
    ):
        model.evaluate(Numbered(lambda a: a), verbose=0)
