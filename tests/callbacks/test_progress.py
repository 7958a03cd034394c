import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.callbacks import LambdaCallback, ProgressBar
from portanet.callbacks.progress import INTERVAL, describe, shows_bars

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


def test_a_bar_if_asked_for(capsys):
    model().fit(X, Y, epochs=2, validation_split=0.5, verbose=1)
    captured = capsys.readouterr()
    assert captured.out == ""
    last = captured.err.replace("\r", "\n").strip().splitlines()[-1]
    assert last.startswith("Epoch 2/2: 100%")
    assert "loss: " in last
    assert "val_loss: " in last


def test_silence(capsys):
    made = model()
    made.fit(X, Y, verbose=0)
    made.evaluate(X, Y, verbose=0)
    made.predict(X)
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


@pytest.mark.parametrize(
    ("logs", "text"), [({"loss": 0.25}, "loss: 0.2500"), ({"loss": 1.5e-5}, "loss: 1.500e-05"), ({}, "")]
)
def test_describe(logs, text):
    assert describe(logs) == text


def test_evaluation_and_prediction_say_what_they_are(capsys):
    made = model()
    loss = made.evaluate(X, Y, verbose=2)
    line = capsys.readouterr().out
    assert line.startswith("Evaluation - ")
    assert line.endswith(f"s - loss: {loss:.4f}\n")
    made.evaluate(X, Y, verbose=1)
    bar = capsys.readouterr().err
    assert "Evaluation: 100%" in bar
    assert f"loss: {loss:.4f}" in bar
    made.predict(X, verbose=1)
    assert "Prediction: 100%" in capsys.readouterr().err


def test_one_among_the_callbacks_takes_the_place_of_that_of_fit(capsys):
    model().fit(X, Y, epochs=2, callbacks=[ProgressBar(2)])
    model().fit(X, Y, epochs=2, verbose=0, callbacks=[ProgressBar(2)])
    assert len(capsys.readouterr().out.splitlines()) == 4


def test_the_line_of_an_epoch_comes_before_what_other_callbacks_print(capsys):
    model().fit(X, Y, callbacks=[LambdaCallback(on_epoch_end=lambda epoch, logs: print("mine"))])
    assert capsys.readouterr().out.splitlines()[1:] == ["mine"]


def test_a_bar_ends_with_training_that_fails(capsys):
    def fail(batch, logs):
        raise KeyError("no")

    bar = ProgressBar(1)
    with pytest.raises(KeyError):
        model().fit(X, Y, callbacks=[bar, LambdaCallback(on_train_batch_end=fail)])
    assert bar.bar is None
    assert capsys.readouterr().err.endswith("\n")


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
    import tqdm.auto

    calls, now = [], [100.0]

    class Bar:
        def __init__(self, **options):
            calls.append(options)

        def set_postfix_str(self, text, refresh):
            calls.append((round(now[0], 2), text, refresh))

        update = close = lambda self: calls.append(None)

    monkeypatch.setattr(tqdm.auto, "tqdm", Bar)
    monkeypatch.setattr("portanet.callbacks.progress.time", SimpleNamespace(perf_counter=lambda: now[0]))
    bar = ProgressBar(1)
    bar.set_model(SimpleNamespace(position=SimpleNamespace(batch=4)))
    bar.set_params({"epochs": 3, "steps": 20})
    bar.on_epoch_begin(1)
    for batch in range(4, 20):
        now[0] += 0.125
        bar.on_train_batch_end(batch, {"loss": float(batch)})
    bar.on_epoch_end(1, {"loss": 0.5})
    assert calls.pop(0).items() >= {"total": 20, "initial": 4, "desc": "Epoch 2/3", "unit": "batch"}.items()
    shown = [call for call in calls if call is not None]
    assert shown[-1] == (102.0, "loss: 0.5000", True)
    gaps = np.diff([100.0, *(time for time, _, _ in shown[:-1])])
    assert (gaps > INTERVAL).all()
    assert (gaps <= INTERVAL + 0.125).all()
    assert [text for _, text, _ in shown[:-1]] == [f"loss: {(time - 100) * 8 + 3:.4f}" for time, _, _ in shown[:-1]]
    assert calls[-1] is None
    assert bar.bar is None


@pytest.mark.parametrize(
    ("terminal", "shell", "bars"),
    [(True, None, True), (False, None, False), (False, "TerminalInteractiveShell", False)],
)
def test_where_bars_are_shown(monkeypatch, terminal, shell, bars):
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: terminal))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object())  # widgets are of use in notebooks alone
    if shell is not None:
        monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=type(shell, (), {})))
    assert shows_bars() is bars


@pytest.mark.parametrize("widgets", [True, False])
def test_a_notebook_has_bars_if_it_has_widgets(monkeypatch, widgets):
    monkeypatch.setattr(sys, "stderr", SimpleNamespace(isatty=lambda: False))
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=type("ZMQInteractiveShell", (), {})))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: object() if widgets else None)
    assert shows_bars() is widgets


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


def test_a_terminal_shows_bars():
    termios = pytest.importorskip("termios", reason="this system has no pseudo-terminals")
    ours, theirs = os.openpty()
    termios.tcsetwinsize(theirs, (24, 80))
    with subprocess.Popen([sys.executable, "-c", SCRIPT], stdout=theirs, stderr=theirs) as process:
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
    text = shown.decode()
    bars = [line.split("\r")[-1] for line in text.strip().split("\r\n")]
    assert [bar[:15] for bar in bars] == ["Epoch 1/2: 100%", "Epoch 2/2: 100%"]
    assert all("loss: " in bar for bar in bars)


@pytest.mark.parametrize(("verbose", "lines"), [(0, 0), (2, 3)])
def test_the_logger_of_keras_shows_what_fit_is_asked_for(verbose: int, lines: int, capsys) -> None:
    made = portanet.Sequential([layers.Input((2,)), layers.Dense(1)])
    made.compile("sgd", "mse")
    x, y = np.ones((4, 2)), np.ones((4, 1))
    made.fit(x, y, epochs=3, verbose=verbose, callbacks=[portanet.callbacks.ProgbarLogger()])
    assert len(capsys.readouterr().out.splitlines()) == lines
