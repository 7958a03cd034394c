"""What `fit` does around recorded steps: batches are gathered in them, and little else happens for each."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import callbacks, layers
from portanet.backends import Backend
from portanet.utils import PyDataset
from tests.recorded import tape
from tests.recorded.backend import FakeGraphs, FakeTransfers
from tests.recorded.runs import LOSS, Changes, both, data, model, recorded, summary
from tests.test_structure import SOURCE, calls

__all__ = ["recorded"]  # the fixture


def backwards(epoch: int, count: int) -> Any:
    return np.arange(count)[::-1][: count - epoch]


ORDERS = {
    "in order": {"shuffle": False},
    "a curriculum": {"shuffle": backwards},
    "parts of a pass": {"steps_per_epoch": 2},
    "weights of classes": {"class_weight": {0: 1.0, 1: 2.0, 2: 0.5}},
}


@pytest.mark.parametrize("name", ORDERS)
def test_batches_are_those_of_ordinary_steps(name: str) -> None:
    x, y = data()

    def run(jit_compile: Any) -> Any:
        seen: list[Any] = []

        def look(net: Any, batch: int) -> None:
            seen.append([portanet.to_host(part) for part in net.batch if part is not None])

        net = model(jit_compile, middle=[layers.Dropout(0.4)])
        history = net.fit(x, y, 4, 3, 0, Changes(None, look), **ORDERS[name]).history
        return history, seen, summary(net)

    both(run, least=3)


def test_several_inputs_and_outputs_of_one_array() -> None:
    x, _ = data()

    def run(jit_compile: Any) -> Any:
        portanet.random.set_seed(3)
        a, b = layers.Input((4,), name="a"), layers.Input((4,), name="b")
        h = layers.Dense(5, "relu")(layers.Add()([a, b]))
        net = portanet.Model({"a": a, "b": b}, [layers.Dense(4, name="c")(h), layers.Dense(4, name="d")(h)])
        net.compile("adam", "mse", jit_compile=jit_compile)
        same = portanet.asarray(x)
        return net.fit({"a": same, "b": same}, {"c": same, "d": same}, 4, 3, 0).history

    both(run, least=4)


def recorded_so_far(net: Any, batch: int) -> None:
    """Forget the copies that a recording has, which is made in the first batch of a run."""
    if batch == net.position.epoch == 0:
        FakeGraphs.fills[0] = 0


def test_a_batch_is_one_launch_and_no_copy(recorded: Backend) -> None:
    if recorded.name != "recorded":
        pytest.skip("counts what the stand-in does")
    x, y = data(24)
    net = model("auto")
    net.fit(x, y, 4, 1, 0)
    FakeGraphs.launches[0] = 0
    net.fit(x, y, 4, 2, 0, Changes(None, recorded_so_far))
    assert (FakeGraphs.launches, FakeGraphs.fills) == ([12], [0])


@pytest.mark.filterwarnings("ignore:invalid value")
def test_a_batch_makes_few_calls(recorded: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some 30 microseconds beyond the launch."""
    if recorded.name != "recorded":
        pytest.skip("counts calls up to the launch")
    net = model("auto")
    net.fit(*data(16), 4, 1, 0)
    monkeypatch.setattr(tape.Tape, "replay", lambda self: None)

    def made(count: int) -> int:
        x, y = data(count)
        seen = calls(lambda: net.fit(x, y, 4, 1, 0, check_finite=False))
        return len([file for file, _ in seen if pathlib.Path(file).is_relative_to(SOURCE)])

    few, many = [made(count) for count in (16, 36, 16, 36)][2:]
    assert (many - few) / 5 <= 52


def test_runs_on_other_data_are_recorded_again(recorded: Backend) -> None:
    def run(jit_compile: Any) -> Any:
        net, curves = model(jit_compile), []
        for i in range(4):
            x, y = data(16)
            curves.append(net.fit(x * (1.0 + i), y, 4, 2, 0).history)
        return curves, net.fit(*data(16), 4, 2, 0, Changes(None, recorded_so_far)).history

    both(run)
    if recorded.name == "recorded":
        assert FakeGraphs.fills == [0], "data is never copied, however often it changes"


def test_an_exception_in_a_callback_leaves_what_ordinary_steps_leave() -> None:
    x, y = data()

    def fail(net: Any, batch: int) -> None:
        if batch == 2:
            raise ValueError("enough")

    def run(jit_compile: Any) -> Any:
        net = model(jit_compile)
        for _ in range(2):
            with pytest.raises(ValueError, match="enough"):
                net.fit(x, y, 4, 2, 0, Changes(None, fail))
        return summary(net), net.fit(x, y, 4, 2, 0).history

    both(run)


def test_an_error_in_a_step_names_the_batch(recorded: Backend) -> None:
    class Wrong(layers.Layer):
        def call(self, x: Any) -> Any:
            if x.shape[0] == 6:
                raise ValueError("six")
            return x

    x, y = data(20)
    with pytest.raises(ValueError, match="six") as caught:
        model("auto", middle=[Wrong()]).fit(x, y, 7, 1, 0)
    assert caught.value.__notes__[-1] == "Epoch 1 of 1, batch 3 of 3: x float32 (6, 4), y int32 (6,)"


class Numbers(PyDataset):
    """Batches that are made by processes."""

    def __init__(self) -> None:
        super().__init__(workers=2, use_multiprocessing=True)

    def __len__(self) -> int:
        return 4

    def __getitem__(self, number: int) -> Any:
        x, y = data(16)
        return x[4 * number : 4 * number + 4], y[4 * number : 4 * number + 4]


@pytest.mark.filterwarnings("ignore:.*fork")  # where another test has imported JAX
@pytest.mark.parametrize("kind", ["processes", "a generator"])
def test_batches_from_the_host(kind: str) -> None:
    x, y = data(10)

    def run(jit_compile: Any) -> Any:
        net = model(jit_compile)
        if kind == "processes":
            return net.fit(Numbers(), epochs=2, verbose=0).history
        batches = [(x[:4], y[:4]), (x[4:8], y[4:8]), (x[8:], y[8:])] * 2
        return net.fit(iter(batches), epochs=2, steps_per_epoch=3, verbose=0).history

    both(run, least=2)


@pytest.mark.parametrize("depth", [0, 2])
def test_batches_of_trees_from_the_host(recorded: Backend, depth: int) -> None:
    x, y = data(10)

    def batches(count: int, error: Any = None) -> Any:
        buffer = np.zeros_like(x[:4])  # which the generator uses again
        for i in range(count):
            rows = slice(4 * (i % 3), 4 * (i % 3) + 4)
            part = buffer[: len(x[rows])]
            part[...] = x[rows]
            yield {"a": part, "b": x[rows, :2]}, {"c": y[rows], "d": part[:, :1]}
        if error is not None:
            raise error

    def run(jit_compile: Any) -> Any:
        portanet.random.set_seed(3)
        a, b = layers.Input((4,), name="a"), layers.Input((2,), name="b")
        h = layers.Dense(5, "relu")(layers.Concatenate()([a, b]))
        net = portanet.Model({"a": a, "b": b}, {"c": layers.Dense(3, name="c")(h), "d": layers.Dense(1, name="d")(h)})
        net.compile("adam", {"c": LOSS, "d": "mse"}, jit_compile=jit_compile)
        results = [net.fit(batches(12), epochs=2, steps_per_epoch=6, verbose=0, prefetch=depth).history]
        for error in (OSError("disk"), KeyboardInterrupt()):
            with pytest.raises(type(error)):
                net.fit(batches(5, error), epochs=1, verbose=0, prefetch=depth)
        results.append(net.evaluate(batches(6), verbose=0, return_dict=True, prefetch=depth))
        results.append(net.predict((inputs for inputs, _ in batches(6)), prefetch=depth))
        return [*results, net.fit(batches(6), epochs=1, verbose=0, prefetch=depth).history, summary(net)]

    FakeTransfers.arrivals[0] = 0
    both(run, least=20)
    assert FakeTransfers.arrivals[0] == 2 * (12 + 5 + 5 + 6 + 6 + 6) or recorded.name != "recorded"


@pytest.mark.filterwarnings("ignore:.*fork")
def test_a_forked_process_goes_on_alone(recorded: Backend) -> None:
    if recorded.name != "recorded":
        pytest.skip("CUDA cannot be used in a forked process")
    x, y = data()
    net, other = model("auto"), model(False)
    for each in (net, other):
        each.fit(x, y, 4, 2, 0)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        loss = net.fit(x, y, 4, 2, 0).history["loss"]
        os.write(writing, repr(loss).encode())
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    expected = other.fit(x, y, 4, 2, 0).history["loss"]
    assert os.read(reading, 1000).decode() == repr(expected)
    assert net.fit(x, y, 4, 2, 0).history["loss"] == expected, "the parent's weights are its own"


def test_models_on_several_devices(recorded: Backend) -> None:
    x, y = data()

    def run(jit_compile: Any) -> Any:
        nets = []
        for name in (*recorded.devices(),)[-2:]:
            with portanet.use_backend(recorded.name, name):
                nets.append(model(jit_compile))
        curves = [net.fit(x, y, 4, 2, 0).history for _ in range(2) for net in nets]
        moved = nets[0].to(recorded.name, (*recorded.devices(),)[-1])
        return curves, moved.fit(x, y, 4, 2, 0).history, [net.predict(x) for net in nets]

    both(run)


def test_models_that_share_layers_take_turns() -> None:
    x, y = data()

    def run(jit_compile: Any) -> Any:
        portanet.random.set_seed(3)
        a = layers.Input((4,))
        shared = layers.Dense(5, "relu")(a)
        nets = [portanet.Model(a, layers.Dense(3)(shared)), portanet.Model(a, layers.Dense(3)(shared))]
        for net in nets:
            net.compile("adam", LOSS, jit_compile=jit_compile)
        curves = [net.fit(x, y, 4, 1, 0).history for _ in range(3) for net in nets]
        return curves, [net.train_on_batch(x[:4], y[:4]) for _ in range(4) for net in nets]

    both(run, least=8)


def test_what_a_callback_replaces_in_the_state_of_the_optimizer_counts() -> None:
    x, y = data()

    def reset(net: Any, batch: int) -> None:
        slots = net.optimizer_state[1]
        slots["m"] = {path: portanet.asarray(np.zeros(m.shape, "float32")) for path, m in slots["m"].items()}

    def run(jit_compile: Any) -> Any:
        net = model(jit_compile)
        return net.fit(x, y, 4, 2, 0, Changes(None, reset)).history

    both(run)


def test_a_new_rate_in_each_epoch_is_written_where_it_lies(recorded: Backend) -> None:
    x, y = data(16)
    scheduler = callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))

    def run(jit_compile: Any) -> Any:
        net = model(jit_compile)
        return net.fit(x, y, 4, 5, 0, scheduler).history, summary(net)

    both(run)
    if recorded.name == "recorded":
        assert FakeGraphs.launches == [4 * 5 - 2], "one recording for all"
