import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.training.progress import describe

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
