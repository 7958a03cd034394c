"""`predict_on_batch` gives what `predict` gives, of whatever is one batch, without the loop around it."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import Backend
from tests.support import asarray

X = np.random.default_rng(0).standard_normal((5, 3)).astype("float32")


def model_of_two() -> Any:
    a, b = layers.Input((3,), name="a"), layers.Input((3,), name="b")
    return portanet.Model([a, b], {"sum": layers.Add()([a, b]), "dense": layers.Dense(2)(a)})


def test_arrays_in_any_form(backend: Backend, tmp_path: pathlib.Path) -> None:
    model = portanet.Sequential([layers.Input((3,)), layers.Dense(4, "relu"), layers.Dense(2, "softmax")])
    expected = model.predict(X)
    np.save(tmp_path / "x.npy", X)
    for x in (X, asarray(X), X.astype("float64"), X.tolist(), np.load(tmp_path / "x.npy", mmap_mode="r")):
        result = model.predict_on_batch(x)
        assert type(result) is np.ndarray
        assert result.dtype == expected.dtype
        np.testing.assert_allclose(result, expected, rtol=1e-6)


def test_trees_in_and_out(backend: Backend) -> None:
    model = model_of_two()
    expected = model.predict([X, 2 * X])
    for x in ([X, 2 * X], {"b": 2 * X, "a": X}):
        result = model.predict_on_batch(x)
        assert result.keys() == expected.keys()
        for name, value in expected.items():
            np.testing.assert_allclose(result[name], value, rtol=1e-6)


def test_it_builds_the_model_once_and_trains_nothing(backend: Backend) -> None:
    model = portanet.Sequential([layers.Dense(4), layers.Dropout(0.5), layers.BatchNormalization()])
    result = model.predict_on_batch(X)
    assert model.built
    before = model.get_weights()
    np.testing.assert_array_equal(model.predict_on_batch(X), result)
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_states_go_on_from_batch_to_batch(backend: Backend) -> None:
    def states(predict: str) -> Any:
        portanet.random.set_seed(0)
        layer = layers.LSTM(4, stateful=True)
        model = portanet.Sequential([layers.Input((2, 3), batch_size=5), layer])
        x = np.stack([X, -X], axis=1)
        return [getattr(model, predict)(x) for _ in range(2)], [state.numpy() for state in layer.states]

    (first, second), kept = states("predict_on_batch")
    assert np.abs(first - second).max() > 1e-4
    (other_first, other_second), other_kept = states("predict")
    for a, b in zip([first, second, *kept], [other_first, other_second, *other_kept], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


def test_what_is_no_batch_is_refused(backend: Backend) -> None:
    model = model_of_two()
    with pytest.raises(ValueError, match="holds no data"):
        model.predict_on_batch([X[:0], X[:0]])
    with pytest.raises(ValueError, match="same number of examples"):
        model.predict_on_batch([X, X[:2]])
    with pytest.raises(ValueError, match="takes 2 inputs") as caught:
        model.predict_on_batch(X)
    text = " ".join([str(caught.value), *getattr(caught.value, "__notes__", [])])
    assert "one array" in text
    words = portanet.Sequential([layers.Input((2,), dtype="int32"), layers.Embedding(4, 2)])
    with pytest.raises(IndexError, match="integers from 1 to 4"):
        words.predict_on_batch(np.asarray([[1, 4]]))
