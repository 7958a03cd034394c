"""Penalties on weights and outputs, of layers and of layers in them, are Keras's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("keras")

import keras

import portanet
from tests.support import to_numpy

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Keras on PyTorch with NumPy 2
ON_WEIGHTS = {"kernel_regularizer": "l2", "bias_regularizer": "l1"}
L1 = {"class_name": "L1", "config": {"l1": 0.3}}


def dense(layers: Any, **options: Any) -> Any:
    return layers.Dense(2, activity_regularizer=L1, **ON_WEIGHTS, **options)


CASES: dict[str, Callable[[Any], Any]] = {
    "steps": lambda keras: keras.layers.TimeDistributed(dense(keras.layers)),
    "steps, outside": lambda keras: keras.layers.TimeDistributed(dense(keras.layers), activity_regularizer=L1),
    "steps of a model": lambda keras: keras.layers.TimeDistributed(keras.Sequential([dense(keras.layers)])),
    "both ways": lambda keras: keras.layers.Bidirectional(
        keras.layers.LSTM(2, recurrent_regularizer="l1", activity_regularizer=L1, **ON_WEIGHTS)
    ),
    "two layers": lambda keras: keras.layers.Bidirectional(
        keras.layers.LSTM(2, kernel_regularizer="l2"),
        backward_layer=keras.layers.GRU(2, go_backwards=True, recurrent_regularizer="l1"),
        activity_regularizer=L1,
    ),
    "attention": lambda keras: keras.layers.MultiHeadAttention(
        2, 3, use_gate=True, activity_regularizer=L1, **ON_WEIGHTS
    ),
    "shared heads": lambda keras: keras.layers.GroupQueryAttention(3, 2, 1, activity_regularizer=L1, **ON_WEIGHTS),
    "cells": lambda keras: keras.layers.RNN([keras.layers.LSTMCell(2, **ON_WEIGHTS), keras.layers.GRUCell(2)]),
    "images over time": lambda keras: keras.layers.ConvLSTM1D(2, 2, activity_regularizer=L1, **ON_WEIGHTS),
}


def model_of(library: Any, case: str, shape: tuple[int, ...]) -> Any:
    inputs, layer = library.Input(shape), CASES[case](library)
    x = layer(inputs, inputs) if case in ("attention", "shared heads") else layer(inputs)
    model = library.Model(inputs, library.layers.Flatten()(x))
    model.compile("sgd", "mse")
    return model


def losses_of(model: Any) -> list[float]:
    return sorted(float(x.detach()) if hasattr(x, "detach") else float(to_numpy(x)) for x in model.losses)


@pytest.mark.parametrize("case", CASES)
def test_penalties(case: str) -> None:
    shape = (3, 5, 2) if case == "images over time" else (4, 3)
    theirs, ours = (model_of(library, case, shape) for library in (keras, portanet))
    draw = np.random.default_rng(0)
    weights = [draw.normal(size=array.shape).astype("float32") for array in theirs.get_weights()]
    x = draw.normal(size=(4, *shape)).astype("float32")
    y = np.zeros((4, theirs.output_shape[-1]), "float32")
    results = []
    for model in (theirs, ours):
        assert [array.shape for array in model.get_weights()] == [array.shape for array in weights]
        model.set_weights(weights)
        told = [losses_of(model), float(model.evaluate(x, y, verbose=0))]
        model(x)
        told.append(losses_of(model))
        told.append(float(model.train_on_batch(x, y)))
        told += model.fit(x, y, batch_size=2, shuffle=False, verbose=0).history["loss"]
        results.append(np.hstack(told))
    np.testing.assert_allclose(results[1], results[0], rtol=2e-4)


def test_losses_after_steps_are_those_of_weights() -> None:
    """As in Keras on JAX, where steps are pure functions; on PyTorch it keeps those of the last batch, too."""
    model = portanet.Sequential([portanet.Input((3,)), dense(portanet.layers)])
    model.compile("sgd", "mse")
    x, y = np.ones((2, 3), "float32"), np.ones((2, 2), "float32")
    for step in (model.evaluate, model.fit):
        step(x, y, verbose=0)
        assert len(model.losses) == 2
    model.predict(x, verbose=0)
    assert len(model.losses) == 2
    model(x)
    assert len(model.losses) == 3
