"""Steps that are recorded and replayed give what the same steps give as ordinary Python, bit for bit."""

from __future__ import annotations

import copy
import threading
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import callbacks, layers, optimizers
from portanet.backends import Backend, lifetime
from portanet.backends.graphs import Recorder
from portanet.training import TrainingRun, frozen
from tests.recorded.backend import FakeGraphs
from tests.recorded.runs import LOSS, Changes, both, data, model, recorded, summary

__all__ = ["recorded"]  # the fixture


def test_fit_evaluate_and_predict() -> None:
    x, y = data()

    def run(jit_compile: Any) -> Any:
        net = model(jit_compile, middle=[layers.Dropout(0.4)])
        weight = np.linspace(0.5, 2.0, 14).astype("float32")
        history = net.fit(x, y, 4, 3, 0, validation_split=0.2, sample_weight=weight).history
        return history, net.evaluate(x, y, 8, 0), net.predict(x, 8), net.predict(x[:3]), summary(net)

    both(run, least=4)


@pytest.mark.parametrize(
    "make",
    [
        lambda: optimizers.LossScaleOptimizer(optimizers.SGD(0.1, momentum=0.9), 2.0**127, 3),  # some are skipped
        lambda: optimizers.Adam(0.01, gradient_accumulation_steps=2, clipnorm=1.0),
        lambda: optimizers.AdamW(0.01, use_ema=True, ema_overwrite_frequency=3),
        lambda: optimizers.Lookahead("sgd"),
        lambda: optimizers.SGD(portanet.schedules.CosineDecay(0.1, 20, warmup_steps=3, warmup_target=0.2)),
        lambda: optimizers.SGD(portanet.schedules.PiecewiseConstantDecay([3, 6], [0.1, 0.05, 0.01])),
    ],
    ids=["loss scale", "accumulation", "averages", "lookahead", "cosine", "piecewise"],
)
@pytest.mark.filterwarnings("ignore:overflow", "ignore:invalid value")
def test_optimizers(make: Callable[[], Any]) -> None:
    x, y = data()

    def run(jit_compile: Any) -> Any:
        net = model(jit_compile, make)
        return net.fit(x, y, 4, 3, 0).history, net.fit(x, y, 4, 2, 0).history, summary(net)

    both(run, least=4)


def rate(net: Any, i: int) -> None:
    net.optimizer.learning_rate = 0.1 / (i + 1)


def schedule(net: Any, i: int) -> None:
    net.optimizer.learning_rate = portanet.schedules.ExponentialDecay(0.1 * i, 3, 0.9) if i else 0.2


def momentum(net: Any, i: int) -> None:
    net.optimizer.momentum = 0.9 - 0.1 * (i // 3)


def dropout(net: Any, i: int) -> None:
    net.layers[2].rate = 0.1 * i


def freeze(net: Any, i: int) -> None:
    net.layers[0].trainable = i % 2 == 0


def assign(net: Any, i: int) -> None:
    net.set_weights([0.9 * w for w in net.get_weights()])


CHANGES = {
    "rate by epoch": (rate, None),
    "rate by batch": (None, rate),
    "schedule": (schedule, None),
    "momentum": (None, momentum),
    "dropout": (dropout, None),
    "trainable": (None, freeze),
    "weights by epoch": (assign, None),
    "weights by batch": (None, assign),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_callbacks_change(name: str) -> None:
    x, y = data()

    def run(jit_compile: Any) -> Any:
        net = model(jit_compile, lambda: optimizers.SGD(0.1, momentum=0.9), [layers.Dropout(0.4)])
        return net.fit(x, y, 4, 4, 0, Changes(*CHANGES[name])).history, summary(net)

    both(run)


def test_callbacks_see_logs_and_weights() -> None:
    x, y = data()

    def run(jit_compile: Any) -> Any:
        net, seen = model(jit_compile), []

        class Look(callbacks.Callback):
            def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
                seen.append((dict(logs), self.model.layers[0].bias.numpy()))
                if batch == 2:
                    seen.append(self.model.evaluate(x, y, 8, 0))

            def on_test_batch_end(self, batch: int, logs: Any = None) -> None:
                seen.append(logs["loss"])

        net.fit(x, y, 4, 2, 0, Look())
        return seen

    both(run)


def test_fit_asks_the_device_once_an_epoch(recorded: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = data(24)
    net = model("auto")
    net.fit(x, y, 4, 2, 0)
    asked: list[int] = []
    to_host = type(recorded).to_host
    monkeypatch.setattr(type(recorded), "to_host", classmethod(lambda cls, x: (asked.append(1), to_host(x))[1]))
    net.fit(x, y, 4, 1, 0, check_finite=False)
    few = len(asked)
    net.fit(x, y, 2, 1, 0, check_finite=False)
    assert len(asked) == 2 * few, "twice as many batches, and no more reading"


def test_batches_one_by_one() -> None:
    x, y = data()

    def run(jit_compile: Any) -> Any:
        net = model(jit_compile)
        values = [net.train_on_batch(x[:8], y[:8]) for _ in range(4)]
        step, totals, kept = TrainingRun(net), net.totals(), []
        for i in range(4):
            kept.append(step(portanet.asarray(x[i : i + 8]), portanet.asarray(y[i : i + 8])))
            totals.add(kept[-1])
        losses = [float(portanet.to_host(each["loss"][0])) for each in kept]  # of all batches, afterwards
        gradients = [net.loss_and_gradients(x[i : i + 8], y[i : i + 8])[0] for i in range(4)]
        tests = [net.test_on_batch(x[i : i + 8], y[i : i + 8]) for i in range(4)]
        return values, losses, totals.logs(), [float(portanet.to_host(g)) for g in gradients], tests

    both(run, least=4)


def test_an_interrupted_run_goes_on() -> None:
    x, y = data()

    def stop(net: Any, batch: int) -> None:
        if batch == 2 and net.position.epoch == 1:
            raise KeyboardInterrupt

    def run(jit_compile: Any) -> Any:
        net = model(jit_compile)
        with pytest.raises(KeyboardInterrupt):
            net.fit(x, y, 4, 3, 0, Changes(None, stop))
        sums = copy.deepcopy(net.position.sums)
        return sums, net.fit(x, y, 4, 3, 0, initial_epoch=net.position).history, summary(net)

    both(run)


def test_a_model_moves_and_is_copied() -> None:
    x, y = data()

    def run(jit_compile: Any) -> Any:
        net = model(jit_compile)
        net.fit(x, y, 4, 2, 0)
        other = copy.deepcopy(net)
        history = other.fit(x, y, 4, 4, 0, initial_epoch=2).history
        net.to("numpy").to(portanet.backends.get_backend())
        again = net.fit(x, y, 4, 4, 0, initial_epoch=2).history
        np.testing.assert_equal(again, history)
        return history

    both(run)


def test_a_stateful_layer() -> None:
    x, _ = data(8, (3, 4))

    def run(jit_compile: Any) -> Any:
        portanet.random.set_seed(3)
        net = portanet.Sequential([layers.Input(batch_shape=(2, 3, 4)), layers.LSTM(3, stateful=True), layers.Dense(1)])
        net.compile("sgd", "mse", jit_compile=jit_compile)
        results = [net.predict(x, 2), net.fit(x, x[:, 0, :1], 2, 2, 0, shuffle=False).history, net.predict(x, 2)]
        net.layers[0].reset_states()
        return [*results, net.evaluate(x, x[:, 0, :1], 2, 0), net.predict(x, 2)]

    both(run)


class Looks(layers.Layer):
    """A layer that looks at values."""

    def call(self, x: Any) -> Any:
        if bool(portanet.ops.sum(x) > 1e6):
            return x
        return 2 * x


def test_a_layer_that_looks_at_values_is_named_once() -> None:
    x, y = data()
    expected = model(False, middle=[Looks(name="looks")]).fit(x, y, 4, 2, 0).history
    net = model("auto", middle=[Looks(name="looks")])
    with pytest.warns(UserWarning, match="cannot be recorded") as caught:
        assert net.fit(x, y, 4, 2, 0, validation_data=(x, y)).history["loss"] == expected["loss"]
    messages = [str(w.message) for w in caught if "recorded" in str(w.message)]
    assert len(messages) == 1
    assert "In layer 'sequential/looks' (Looks)" in messages[0].replace(net.name, "sequential")
    assert "test_recorded_steps.py, line" in messages[0]
    assert "if bool(portanet.ops.sum(x) > 1e6):" in messages[0]


@pytest.mark.parametrize("jit_compile", ["auto", True])
def test_overridden_steps_are_recorded_when_that_is_chosen(jit_compile: Any) -> None:
    x, y = data()

    class Custom(portanet.Sequential):
        def train_step(self, data: Any) -> Any:
            return {"twice": 2 * super().train_step(data)["loss"]}

    def run(jit_compile: Any) -> Any:
        portanet.random.set_seed(3)
        net = Custom([layers.Input((4,)), layers.Dropout(0.3), layers.Dense(3)])
        net.compile("adam", LOSS, metrics=["accuracy"], jit_compile=jit_compile)
        return net.fit(x, y, 4, 3, 0).history, summary(net)

    FakeGraphs.launches[0] = 0
    np.testing.assert_equal(run(jit_compile), run(False))
    if portanet.backends.get_backend().name == "recorded":
        assert (FakeGraphs.launches[0] > 3) == (jit_compile is True)


def test_threads_train_models_of_their_own(recorded: Backend) -> None:
    x, y = data()
    expected = model(False).fit(x, y, 4, 3, 0).history["loss"]
    nets, results = [model("auto") for _ in range(2)], []

    def work(net: Any) -> None:
        with portanet.use_backend(recorded):
            results.append(net.fit(x, y, 4, 3, 0).history["loss"])

    threads = [threading.Thread(target=work, args=(net,)) for net in nets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [expected] * 2


def table(net: Any, i: int) -> None:
    net.layers[2].table = portanet.asarray(np.full(5, 1.0 + i, dtype="float32"))


class Scales(layers.Layer):
    """A layer with an array that is no variable."""

    table: Any = None

    def call(self, x: Any) -> Any:
        return x if self.table is None else x * self.table


def test_arrays_in_attributes_of_layers() -> None:
    x, y = data()

    def run(jit_compile: Any) -> Any:
        net = model(jit_compile, middle=[Scales()])
        return net.fit(x, y, 4, 4, 0, Changes(table)).history

    both(run)


def test_an_array_where_a_former_one_was_is_another_setting(recorded: Backend) -> None:
    net = model("auto", middle=[scales := Scales()])
    scales.table = portanet.asarray(np.ones(5, "float32"))
    known, former = frozen.settings(net), weakref.ref(lifetime(scales.table))
    assert frozen.settings(net) == known
    scales.table = portanet.asarray(np.ones(5, "float32"))
    assert former() is not None
    assert frozen.settings(net) != known


def test_jit_compile_is_the_switch(recorded: Backend) -> None:
    def records(**options: Any) -> bool:
        net = model("auto")
        net.compile("adam", LOSS, **options)
        net.fit(*data(), 4, 1, 0)
        return any(isinstance(step, Recorder) for step in net._steps.values())

    assert records()
    assert records(jit_compile=True)
    assert not records(jit_compile=False)
    assert not records(run_eagerly=True)
