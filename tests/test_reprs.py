"""What objects look like at a prompt: short, with their arguments, and never an address."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import callbacks, constraints, initializers, layers, losses, metrics, optimizers, regularizers, schedules
from portanet.configurable import Configurable


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (optimizers.Adam(), "Adam(learning_rate=0.001)"),
        (optimizers.SGD(0.1, momentum=0.9), "SGD(learning_rate=0.1, momentum=0.9)"),
        (
            optimizers.SGD(schedules.CosineDecay(0.1, 100)),
            "SGD(learning_rate=CosineDecay(initial_learning_rate=0.1, decay_steps=100))",
        ),
        (optimizers.Lookahead(optimizers.Adam(0.5)), "Lookahead(optimizer=Adam(learning_rate=0.5))"),
        (losses.MeanSquaredError(), "MeanSquaredError()"),
        (losses.Huber(delta=2.0), "Huber(delta=2.0)"),
        (metrics.TopKCategoricalAccuracy(3), "TopKCategoricalAccuracy(k=3)"),
        (callbacks.EarlyStopping(patience=2), "EarlyStopping(patience=2)"),
        (callbacks.LambdaCallback(on_epoch_end=print), "LambdaCallback(on_epoch_end=print)"),
        (regularizers.L2(0.1), "L2(l2=0.1)"),
        (constraints.MaxNorm(3), "MaxNorm(max_value=3)"),
        (initializers.Constant(np.ones(3)), "Constant(value=<array of shape (3,)>)"),
        (layers.Dense(3, "relu"), "<Dense 'dense', units=3, activation='relu', not built>"),
        (layers.Dense(3, name="out", use_bias=False), "<Dense 'out', units=3, use_bias=False, not built>"),
        (layers.ReLU(), "<ReLU 're_lu'>"),
        (
            layers.Bidirectional(layers.LSTM(4)),
            "<Bidirectional 'bidirectional', layer=<LSTM 'lstm', units=4, not built>, not built>",
        ),
        (portanet.Sequential([layers.Dense(2)]), "<Sequential 'sequential', 1 layer, not built>"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_the_arguments_that_are_not_defaults(value: Any, text: str) -> None:
    assert repr(value) == text


def test_a_built_layer_and_a_model_say_what_they_hold() -> None:
    x = layers.Input((3,))
    model = portanet.Model(x, layers.Dense(400)(layers.Dense(4)(x)))
    assert repr(model) == "<Functional 'functional', 3 layers, 2,016 parameters>"
    assert repr(model.layers[1]) == "<Dense 'dense', units=4>"


def test_the_learning_rate_is_the_present_one() -> None:
    optimizer = optimizers.Adam(0.5)
    optimizer.learning_rate = 0.25
    assert repr(optimizer) == "Adam(learning_rate=0.25)"


def test_a_record_says_epochs_time_and_last_values() -> None:
    model = portanet.Sequential([layers.Input((3,)), layers.Dense(1, kernel_initializer="zeros")])
    model.compile(optimizers.SGD(0.0), "mse", metrics=["mae"])
    record = callbacks.History()
    history = model.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=2, verbose=0, callbacks=[record])
    values = "loss: 1.0000, mae: 1.0000>"
    assert re.fullmatch(rf"<History of 2 epochs in \d+\.\d\d s, {values}", repr(history))
    assert repr(record) == f"<History of 2 epochs, {values}"
    assert history.seconds > 0  # type: ignore[operator]


def test_a_record_of_training_that_fails_has_its_time() -> None:
    def fail(epoch: int, logs: Any) -> None:
        raise KeyError("no")

    model = portanet.Sequential([layers.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    with pytest.raises(KeyError):
        model.fit(np.ones((8, 3)), np.ones((8, 1)), verbose=0, callbacks=[callbacks.LambdaCallback(on_epoch_end=fail)])
    assert re.match(r"<History of [01] epochs? in \d", repr(model.history))


def test_long_arguments_are_cut() -> None:
    text = repr(callbacks.CSVLogger("a" * 1000))
    assert text == f"CSVLogger(filename='{'a' * 56}...)"


def test_nothing_shows_an_address() -> None:
    rooms = (callbacks, constraints, initializers, losses, metrics, optimizers, regularizers, schedules, layers)
    public = [getattr(room, name) for room in rooms for name in dir(room)]
    classes = {value for value in public if isinstance(value, type) and issubclass(value, Configurable)}
    seen = 0
    for cls in classes:
        try:
            value = cls()
        except (TypeError, ValueError, ImportError):  # it needs arguments, or an extra
            continue
        seen += 1
        assert cls.__name__ in repr(value)
        assert " at 0x" not in repr(value)
        assert len(repr(value)) < 200
    assert seen > 150


class Plain(Configurable):
    """A class of a user's, whose arguments are of many kinds."""

    def __init__(self, a: Any, b: Any = (1, 2), *, c: Any = None, **more: Any) -> None:
        self.a = a


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Plain(1), "Plain(a=1)"),
        (Plain(1, (1, 2), c=None), "Plain(a=1)"),
        (Plain(1, (1, 3), c=[np.ones(2)], d=2), "Plain(a=1, b=(1, 3), c=[array([1., 1.])], d=2)"),
        (Plain(np.ones((2, 3))), "Plain(a=<array of shape (2, 3)>)"),
        (Plain(Plain), "Plain(a=Plain)"),
    ],
)
def test_arguments_of_every_kind(value: Any, text: str) -> None:
    assert repr(value) == text


def test_an_optimizer_whose_init_failed() -> None:
    assert repr(optimizers.Adam.__new__(optimizers.Adam)) == "Adam()"


@pytest.mark.parametrize("cls", [layers.Dense, layers.LSTM, portanet.Model, portanet.Sequential])
def test_objects_whose_init_failed(cls: Any) -> None:
    value = cls.__new__(cls)
    assert repr(value) == f"<{cls.__name__}, not initialized>"
    assert getattr(value, "_repr_html_", lambda: None)() is None
    assert dir(value)
