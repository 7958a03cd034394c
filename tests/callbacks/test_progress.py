import os
import re
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.callbacks import LambdaCallback, ProgressBar
from portanet.callbacks.bars import INTERVAL, Bar
from portanet.callbacks.progress import numbers, shows_bars

X, Y = np.ones((40, 2), dtype="float32"), np.ones((40, 1), dtype="float32")


def model():
    made = portanet.Sequential([layers.Input((2,)), layers.Dense(1)])
    made.compile("sgd", "mse")
    return made


def test_lines_where_there_is_no_terminal(capsys):
    model().fit(X, Y, epochs=2, validation_split=0.5)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("Epoch 2/2 - ")
    assert "s - loss: " in lines[1]
    assert " - val_loss: " in lines[1]


def test_the_seconds_of_a_line_are_those_since_its_beginning(monkeypatch, capsys):
    times = iter([100.0, 103.5, 200.0, 200.25])
    monkeypatch.setattr("portanet.callbacks.progress.time", SimpleNamespace(perf_counter=lambda: next(times)))
    bar = ProgressBar(2)
    bar.set_model(SimpleNamespace(position=SimpleNamespace(batch=0)))
    bar.set_params({"epochs": 3, "steps": 1})
    for epoch in range(2):
        bar.on_epoch_begin(epoch)
        bar.on_epoch_end(epoch, {"loss": 0.5})
    lines = ["Epoch 1/3 - 3.50s - loss: 0.5000", "Epoch 2/3 - 0.25s - loss: 0.5000"]
    assert capsys.readouterr().out.splitlines() == lines


def slow(seconds=1.25 * INTERVAL):
    """A callback that makes batches take time, so that there is a bar to be seen."""
    return LambdaCallback(on_train_batch_end=lambda batch, logs: time.sleep(seconds))


def test_a_bar_if_asked_for_goes_and_leaves_a_line(capsys):
    model().fit(X, Y, epochs=2, batch_size=4, validation_split=0.5, verbose=1, callbacks=[slow()])
    captured = capsys.readouterr()
    lines = captured.out.splitlines()
    assert [line[:12] for line in lines] == ["Epoch 1/2 - ", "Epoch 2/2 - "]
    assert all(" - loss: " in line and " - val_loss: " in line for line in lines)
    bars = captured.err.split("\r")
    assert any(re.match(r"Epoch 2/2 +\d+%\|.*\| \d/5 .*, loss: \d", bar) for bar in bars)
    assert bars[-1].strip() == ""
    assert "\n" not in captured.err


def test_what_takes_no_time_has_no_bar(monkeypatch, capsys):
    monkeypatch.setattr("portanet.callbacks.bars.INTERVAL", 1000.0)
    model().fit(X, Y, epochs=2, verbose=1)
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 2
    assert captured.err == ""


@pytest.mark.parametrize(
    ("columns", "shown"),
    [(20, ""), (60, "loss: 0.5000"), (80, "loss: 0.5000, accuracy: 0.2500"), (200, "loss: 0.5000, accuracy: 0.2500")],
)
def test_a_bar_shows_numbers_that_have_room(columns, shown):
    bar = Bar("Epoch 1/2", 10)
    bar.bar.dynamic_ncols, bar.bar.ncols = None, columns
    bar.show(["loss: 0.5000", "accuracy: 0.2500"])
    text = str(bar.bar)
    bar.close(finished=True)
    assert len(text) <= columns
    assert re.findall(r"\w+: \d.\d+", text) == re.findall(r"\w+: \d.\d+", shown)


def test_numbers_that_fit_exactly_are_shown():
    numbers = ["loss: 0.5000", "accuracy: 0.2500"]
    bar = Bar("Epoch 1/2", 10)
    bar.bar.dynamic_ncols, bar.bar.ncols = None, 200
    bar.show(numbers)
    length = len(str(bar.bar))
    for columns, shown in ((length, 2), (length - 1, 1)):
        bar.bar.ncols = columns
        bar.show(numbers)
        assert len(re.findall(r"\w+: \d.\d+", str(bar.bar))) == shown
    bar.close(finished=True)


def test_silence(capsys):
    made = model()
    made.fit(X, Y, verbose=0)
    made.evaluate(X, Y, verbose=0)
    made.predict(X)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


@pytest.mark.parametrize(
    ("logs", "text"), [({"loss": 0.25}, ["loss: 0.2500"]), ({"loss": 1.5e-5}, ["loss: 1.500e-05"]), ({}, [])]
)
def test_numbers(logs, text):
    assert numbers(logs) == text


def test_evaluation_and_prediction_say_what_they_are(capsys):
    made = model()
    loss = made.evaluate(X, Y, verbose=2)
    made.evaluate(X, Y, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith("Evaluation - ") and line.endswith(f"s - loss: {loss:.4f}") for line in lines)
    made.predict(X, verbose=1)
    assert capsys.readouterr().out.startswith("Prediction - ")
    assert len(lines) == 2


def test_one_among_the_callbacks_takes_the_place_of_that_of_fit(capsys):
    model().fit(X, Y, epochs=2, callbacks=[ProgressBar(2)])
    model().fit(X, Y, epochs=2, verbose=0, callbacks=[ProgressBar(2)])
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_the_line_of_an_epoch_comes_before_what_other_callbacks_print(capsys):
    model().fit(X, Y, callbacks=[LambdaCallback(on_epoch_end=lambda epoch, logs: print("mine"))])
    assert capsys.readouterr().out.splitlines()[1:] == ["mine"]


def test_a_bar_ends_with_training_that_fails(capsys):
    def fail(batch, logs):
        if batch == 3:
            raise KeyError("no")

    bar = ProgressBar(1)
    with pytest.raises(KeyError):
        model().fit(X, Y, 4, callbacks=[bar, slow(), LambdaCallback(on_train_batch_end=fail)])
    assert bar.bar is None
    captured = capsys.readouterr()
    assert captured.err.endswith("\n")  # the bar stays where it was
    assert captured.out == ""


def test_the_loss_is_fetched_now_and_then(capsys):
    class Logs(dict):
        fetched = 0

        def items(self):
            self.fetched += 1
            return super().items()

    bar, logs = ProgressBar(1), Logs(loss=1.0)
    bar.set_model(SimpleNamespace(position=SimpleNamespace(batch=0)))
    bar.set_params({"epochs": 1, "steps": 1000})
    bar.on_epoch_begin(0)
    for batch in range(1000):
        bar.on_train_batch_end(batch, logs)
    assert logs.fetched < 20
    bar.on_train_end()


def test_a_bar_goes_on_from_its_batch_and_shows_the_loss_now_and_then_alone(monkeypatch, capsys):
    calls, now = [], [100.0]

    class Fake:
        def __init__(self, *arguments):
            calls.append(arguments)

        def show(self, numbers):
            calls.append((round(now[0], 2), numbers))

        def advance(self):
            calls.append(None)

        def close(self, finished):
            calls.append(finished)

    monkeypatch.setattr("portanet.callbacks.progress.Bar", Fake)
    monkeypatch.setattr("portanet.callbacks.progress.time", SimpleNamespace(perf_counter=lambda: now[0]))
    bar = ProgressBar(1)
    bar.set_model(SimpleNamespace(position=SimpleNamespace(batch=4)))
    bar.set_params({"epochs": 3, "steps": 20})
    bar.on_epoch_begin(1)
    for batch in range(4, 20):
        now[0] += 0.125
        bar.on_train_batch_end(batch, {"loss": float(batch)})
    bar.on_epoch_end(1, {"loss": 0.5})
    assert calls.pop(0) == ("Epoch 2/3", 20, 4)
    assert calls.pop() is True
    assert calls.count(None) == 16
    shown = [call for call in calls if call is not None]
    gaps = np.diff([100.0, *(time for time, _ in shown)])
    assert (gaps > INTERVAL).all()
    assert (gaps <= INTERVAL + 0.125).all()
    assert [texts for _, texts in shown] == [[f"loss: {(time - 100) * 8 + 3:.4f}"] for time, _ in shown]
    assert bar.bar is None
    assert capsys.readouterr().out == "Epoch 2/3 - 2.00s - loss: 0.5000\n"


@pytest.mark.parametrize(
    ("terminal", "shell", "bars"),
    [
        (True, object, True),
        (False, object, False),
        (False, type("TerminalInteractiveShell", (), {}), False),
        (False, type("ZMQInteractiveShell", (), {}), True),
        (False, type("Shell", (type("ZMQInteractiveShell", (), {}),), {}), True),  # as Colab derives its own
    ],
)
def test_where_bars_are_shown(monkeypatch, terminal, shell, bars):
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: terminal))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=shell))
    assert shows_bars() is bars


SCRIPT = """
import numpy as np, portanet
from portanet import layers
model = portanet.Sequential([layers.Input((2,)), layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(np.ones((40, 2)), np.ones((40, 1)), epochs=2)
"""


def test_output_that_is_redirected_holds_lines_alone():
    result = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert [line[:9] for line in result.stdout.splitlines()] == ["Epoch 1/2", "Epoch 2/2"]
    assert "\r" not in result.stdout
    assert result.stderr == ""


SLOW = """
import numpy as np, portanet, time
from portanet import layers
model = portanet.Sequential([layers.Input((2,)), layers.Dense(1)])
model.compile("sgd", "mse", metrics=["accuracy"])
slow = portanet.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: time.sleep(0.25))
model.fit(np.ones((40, 2)), np.ones((40, 1)), 4, epochs=2, validation_split=0.5, callbacks=[slow])
"""


def shown_on_a_terminal(columns):
    """What a terminal gets of `SLOW`."""
    termios = pytest.importorskip("termios", reason="this system has no pseudo-terminals")
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, columns))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    with subprocess.Popen([sys.executable, "-c", SLOW], stdout=theirs, stderr=theirs, env=environment) as process:
        os.close(theirs)
        shown = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # Linux: the other end has closed
                break
            if not part:
                break
            shown += part
    os.close(ours)
    assert process.returncode == 0
    return shown.decode()


@pytest.mark.parametrize("columns", [80, 100])
def test_a_terminal_shows_bars_that_fit_and_keeps_whole_lines(columns):
    lines = shown_on_a_terminal(columns).strip().split("\r\n")
    number = r"\d+\.[\de-]+"
    whole = rf"Epoch \d/2 - [\d.]+s - loss: {number} - accuracy: {number} - val_loss: {number} - val_accuracy: {number}"
    assert [line.split("\r")[-1][:9] for line in lines] == ["Epoch 1/2", "Epoch 2/2"]
    for line in lines:
        *bars, last = line.split("\r")
        assert re.fullmatch(whole, last)
        assert bars[-1].strip() == ""  # the bar is gone
        assert max(map(len, bars)) <= columns
        numbers = [re.findall(rf"\w+: {number}(?=[,\]])", bar) for bar in bars if "loss" in bar]
        assert numbers
        assert all([name.split(":")[0] for name in each] == ["loss", "accuracy"] for each in numbers)


@pytest.mark.parametrize(("verbose", "lines"), [(0, 0), (2, 3)])
def test_the_logger_of_keras_shows_what_fit_is_asked_for(verbose: int, lines: int, capsys) -> None:
    made = portanet.Sequential([layers.Input((2,)), layers.Dense(1)])
    made.compile("sgd", "mse")
    x, y = np.ones((4, 2)), np.ones((4, 1))
    made.fit(x, y, epochs=3, verbose=verbose, callbacks=[portanet.callbacks.ProgbarLogger()])
    assert len(capsys.readouterr().out.splitlines()) == lines
