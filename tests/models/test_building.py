"""What a user calls before there is data: `build`, and what the first call for data leaves alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, ops


class Blocks(portanet.Model):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = [layers.Dense(4, name="first"), layers.BatchNormalization(name="second")]
        self.end = layers.Dense(2, name="end")

    def call(self, x: Any, training: bool = False) -> Any:
        for block in self.blocks:
            x = block(x)
        return self.end(x)


def test_build_creates_the_weights_of_layers_that_call_uses(tmp_path: Any, backend: Any) -> None:
    model, x = Blocks(), portanet.asarray(np.ones((3, 5), "float32"))
    expected = model(x)
    model.save_weights(tmp_path / "w.weights.h5")
    twin = Blocks()
    twin.build((None, 5))
    assert [v.path for v in twin.weights] == [v.path for v in model.weights]
    twin.load_weights(tmp_path / "w.weights.h5")
    np.testing.assert_array_equal(backend.to_host(twin(x)), backend.to_host(expected))


def test_build_warns_of_a_call_that_zeros_do_not_fit() -> None:
    class Special(Blocks):
        def call(self, x: Any, training: bool = False) -> Any:
            raise KeyError("no zeros")

    with pytest.warns(
        UserWarning, match="are built when it is called on data: its call on zeros .* failed with KeyError"
    ):
        Special().build((None, 5))


class Counter(layers.Layer):
    def build(self, shape: Any) -> None:
        self.steps = self.add_variable(shape=(), initializer="zeros", trainable=False)
        self.steps.assign(10.0)
        self.inner = layers.Dense(1)
        self.inner(portanet.asarray(np.ones((1, 1))))
        self.inner.set_weights([np.full((1, 1), 3.0), np.zeros(1)])

    def call(self, x: Any) -> Any:
        self.steps.assign(self.steps + 1)
        return self.inner(x)


class Counting(portanet.Model):
    def __init__(self) -> None:
        super().__init__()
        self.steps = self.add_variable(shape=(), initializer="zeros", trainable=False)
        self.counter = Counter()

    def call(self, x: Any) -> Any:
        self.steps.assign(self.steps + 1)
        return self.counter(x)


def test_the_call_that_builds_a_model_assigns_nothing(backend: Any) -> None:
    seen = []

    class Watch(portanet.callbacks.Callback):
        def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
            seen.append((int(self.model.steps.numpy()), int(self.model.counter.steps.numpy())))

    for built in (False, True):
        model = Counting()
        if built:
            model.build((None, 1))
            assert float(model.counter.inner.kernel.numpy()[0, 0]) == 3.0
        model.compile(portanet.optimizers.SGD(0.0), "mse")
        model.fit(np.ones((6, 1)), np.ones((6, 1)), batch_size=2, callbacks=[Watch()], verbose=0)
        assert float(model.counter.inner.kernel.numpy()[0, 0]) == 3.0
    assert seen == [(1, 11), (2, 12), (3, 13)] * 2


class Total(portanet.metrics.Metric):
    def __init__(self) -> None:
        super().__init__(name="total")
        self.seen = self.add_variable(shape=(), initializer="zeros", name="seen")

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        self.seen.assign(self.seen + ops.sum(y_true))

    def result(self) -> Any:
        return self.seen


def test_the_result_of_a_metric_may_be_its_variable(backend: Any) -> None:
    model = portanet.Sequential([layers.Input((1,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=[Total()])
    history = model.fit(np.ones((6, 1)), np.ones((6, 1)), batch_size=2, epochs=2, verbose=0).history
    assert history["total"] == [6.0, 6.0]
