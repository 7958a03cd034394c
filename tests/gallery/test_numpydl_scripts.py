"""NumPyDL's example scripts, written for portanet."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import numpy as np
import pytest

import portanet
import portanet.compat.numpydl as npdl
from portanet.backends import Backend
from tests.gallery.pages import load

digits, mnist, text = (
    load(name) for name in ("images/numpydl_digits", "images/numpydl_mnist", "sequences/numpydl_text")
)


@pytest.fixture
def numpy_backend() -> Iterator[None]:
    with portanet.use_backend("numpy"):
        yield


def test_the_digits_script_takes_the_steps_of_the_model(backend: Backend) -> None:
    assert digits.difference(units=20, epochs=2, examples=200) < 1e-5


def test_the_digits_script_reaches_what_numpydl_reaches(numpy_backend: None) -> None:
    """1.000 in training and 0.9297 on the last tenth."""
    last = digits.lines(digits.twin(), 150)[-1]
    train, valid = (float(part.split("]")[0]) for part in last.split("acc ")[1:])
    assert train == 1.0
    assert valid >= 0.9297


def test_digits_in_portanet(numpy_backend: None) -> None:
    history = digits.train(digits.network(100), epochs=10).history
    assert history["val_accuracy"][-1] > 0.9


def test_optimizers_are_numpydls(numpy_backend: None) -> None:
    optimizers = mnist.optimizers()
    assert sorted(optimizers) == sorted(
        ["SGD", "Momentum", "NesterovMomentum", "Adagrad", "RMSprop", "Adadelta", "Adam", "Adamax"]
    )
    assert all(hasattr(npdl.optimizers, name) for name in optimizers)
    x, y = np.random.default_rng(0).random((20, 28, 28, 1)).astype("float32"), np.eye(10)[np.arange(20) % 10]
    for optimizer in optimizers.values():
        assert np.isfinite(mnist.fit(mnist.perceptron(8), optimizer, x, y, 1).history["loss"]).all()
    assert mnist.convolutional().count_params() == 554


def test_questions(numpy_backend: None, tmp_path: pathlib.Path) -> None:
    x, y, words = data = text.questions(90)
    assert x.shape == (90, 20)
    assert y.shape == (90, 3)
    assert 0 < x.max() < words
    for model in (text.convolutional(words, 3, 16, 8), text.recurrent(words, 3, 8)):
        losses = text.classify(model, data, "adam", 2).history["loss"]
        assert losses[-1] < losses[0]
    (tmp_path / "trec").write_text("NUM:count How many ?\nLOC:city Where is it ?\n")
    assert text.questions(path=str(tmp_path / "trec"))[1].shape == (2, 2)


def test_characters(numpy_backend: None, tmp_path: pathlib.Path) -> None:
    (tmp_path / "text").write_text("abcd" * 50)
    x, y = text.characters(20, 5, str(tmp_path / "text"))
    assert x.shape == (20, 5, 4)
    np.testing.assert_array_equal(x[:, -1].argmax(axis=1), (y.argmax(axis=1) - 1) % 4)
    for model in (text.simple(5, 4, 16), text.lstm(5, 4, 16)):
        losses = text.predict_next(model, (x, y), portanet.optimizers.Adam(0.05), 8)
        assert losses[-1] < losses[0] / 2
