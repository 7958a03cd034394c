"""Several callbacks at once: their order, their state, and a run that is interrupted and resumed with all of them."""

import numpy as np
import pytest

import portanet
from portanet import callbacks, layers
from portanet.callbacks import Callback, CallbackList, LambdaCallback, ProgressBar
from tests.callbacks.scripted import Counting


class Other(Counting):
    pass


def test_those_that_keep_what_others_know_are_called_last():
    last, first, middle = Counting(order=2), Counting(), Counting(order=1)
    assert CallbackList([last, first, middle]).callbacks == [first, middle, last]
    early, plain, late = Counting(order=-0.5), Callback(), Counting(order=0.5)
    assert CallbackList([late, plain, early]).callbacks == [early, plain, late]


def test_states_are_found_by_class_and_order():
    states = [["Counting", {"count": 1}], ["Gone", {"count": 2}], ["Counting", {"count": 3}]]
    callbacks = [Other(), Counting(), Counting()]
    listeners = CallbackList(callbacks)
    listeners.set_states(states)
    assert [callback.count for callback in callbacks] == [0, 1, 3]
    assert listeners.get_states() == [["Other", {"count": 0}], ["Counting", {"count": 1}], ["Counting", {"count": 3}]]


def test_only_callbacks_are_taken():
    with pytest.raises(TypeError, match=r"must be an object of portanet.callbacks.Callback, .*Received: <function"):
        CallbackList([lambda: None])


@pytest.mark.parametrize("text", ["", "EarlyStopping"])
def test_texts_are_no_lists_of_callbacks(text):
    with pytest.raises(TypeError, match=rf"must be an object of portanet.callbacks.Callback, .*Received: '{text}'"):
        CallbackList(text)


def test_a_progress_bar_comes_first_unless_there_is_one_or_silence_is_asked_for():
    given, bar = Callback(), ProgressBar(2)
    first, second = CallbackList([given], verbose=2).callbacks
    assert (type(first), second) == (ProgressBar, given)
    assert CallbackList([given, bar], verbose=2).callbacks == [given, bar]
    assert CallbackList([given], verbose=0).callbacks == [given]


def test_hooks_that_nobody_has_cost_no_call():
    called = []
    listeners = CallbackList([Callback(), LambdaCallback(on_train_begin=called.append)])
    listeners.call("on_train_batch_end", 0, {})
    listeners.call("on_train_begin", 1)
    listeners.call("on_train_begin", 2)
    assert called == [1, 2]
    assert [len(functions) for functions in listeners._hooks.values()] == [0, 1]


def test_loops_of_ones_own():
    called = []
    names = [name for name in vars(CallbackList) if name.startswith("on_")]
    note = LambdaCallback(
        **{
            n: (lambda *args, n=n: called.append((n, *args)))
            for n in names
            if n not in ("on_batch_begin", "on_batch_end")
        }
    )
    model = portanet.Sequential([layers.Dense(1)])
    listeners = CallbackList([note], add_history=True, model=model, epochs=2, verbose=0)
    assert (note.model, note.params) == (model, {"epochs": 2, "verbose": 0})
    for name in names:
        numbers = () if "batch" not in name and "epoch" not in name else (3,)
        getattr(listeners, name)(*numbers, {"loss": 0.5})
        expected = name if "on_batch" not in name else name.replace("on_", "on_train_")
        assert called.pop() == (expected, *numbers, {"loss": 0.5})
        getattr(listeners, name)(*numbers)
        assert called.pop() == (expected, *numbers, {})
    listeners.on_train_begin()
    listeners.on_epoch_end(0, {"loss": 0.5})
    assert (model.history.epoch, model.history.history) == ([0], {"loss": [0.5, 0.5]})
    listeners.append(bar := ProgressBar(1))
    listeners.set_params({"epochs": 3})
    assert (bar.params, note.params) == ({"epochs": 3}, {"epochs": 3})
    assert [type(each) for each in CallbackList(add_progbar=True).callbacks] == [ProgressBar]


class Killed(BaseException):
    pass


def train(folder, kill_at=None):
    """Train with every stateful callback; return their states, the history and the weights."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(40, 3)).astype("float32")
    portanet.random.set_seed(2)
    model = portanet.Sequential([layers.Input((3,)), layers.Dense(4, "tanh"), layers.Dropout(0.2), layers.Dense(1)])
    model.compile(portanet.optimizers.Adam(0.5), "mse", metrics=["mae"])
    steps = iter(range(1000))

    def count(batch, logs):
        if next(steps) == kill_at:
            raise Killed

    known = [
        callbacks.EarlyStopping("val_loss", patience=4, restore_best_weights=True),
        callbacks.ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=10.0),
        callbacks.CSVLogger(folder / "log.csv"),
        callbacks.JSONLinesLogger(folder / "log.jsonl"),
        callbacks.PlotHistory(folder / "history.svg", ["loss"]),
        callbacks.ActivationMonitor(x[:8], bins=3),
        callbacks.GradientMonitor(x[:8], x[:8, :1], bins=3),
        callbacks.Timing(),
    ]
    others = [callbacks.BackupAndRestore(folder / "backup", save_freq=3), LambdaCallback(on_train_batch_end=count)]
    history = model.fit(
        x, x[:, :1] ** 2, 10, epochs=9, verbose=0, validation_data=(x, x[:, 1:2]), callbacks=[*known, *others]
    ).history
    states = {type(each).__name__: each.get_state() for each in known}
    steps_of_epochs = [row["steps"] for row in states.pop("Timing")["rows"]]
    files = [(folder / name).read_bytes() for name in ("log.csv", "log.jsonl")]
    return {"history": history, "states": states, "steps": steps_of_epochs, "files": files, "w": model.get_weights()}


@pytest.mark.parametrize("kill_at", [6, 13])
def test_a_stopped_run_with_all_callbacks_goes_on_as_if_it_had_not_been(kill_at, tmp_path, backend):
    pytest.importorskip("matplotlib")
    expected = train(tmp_path / "whole")
    assert len(expected["history"]["loss"]) < 9  # EarlyStopping took effect
    assert expected["history"]["learning_rate"][-1] < 0.5  # and so did ReduceLROnPlateau
    with pytest.raises(Killed):
        train(tmp_path / "pieces", kill_at)
    np.testing.assert_equal(train(tmp_path / "pieces"), expected)
