"""Layers of the user's that look up strings, in graphs after an Input of strings."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers

WORDS = np.asarray([["good", "film", "x"], ["bad", "bad", "film"]])
TEXTS = np.asarray(["good film", "a bad bad film"])
GOALS = np.asarray([[1.0], [0.0]], "float32")


@portanet.saving.register_keras_serializable("strings_in_layers")
class Looked(layers.Layer):
    """Embedded words."""

    def __init__(self, drop: float = 0.0, **options: Any) -> None:
        super().__init__(**options)
        self.table = layers.StringLookup(vocabulary=["good", "bad", "film"])
        self.embed = layers.Embedding(4, 3)
        self.drop = layers.Dropout(drop)

    def call(self, x: Any, training: bool = False) -> Any:
        return self.drop(self.embed(self.table(x)), training=training)


@portanet.saving.register_keras_serializable("strings_in_layers")
class Vectorized(layers.Layer):
    """Embedded texts."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.table = layers.TextVectorization(vocabulary=["good", "bad", "film"], output_sequence_length=3)
        self.embed = layers.Embedding(5, 3)

    def call(self, x: Any) -> Any:
        return self.embed(self.table(x))


def graph(layer: layers.Layer, *shape: int) -> portanet.Model:
    inputs = portanet.Input(shape, dtype="string", name="words")
    return portanet.Model(inputs, layers.Dense(1)(layers.Flatten()(layer(inputs))))


def stack(layer: layers.Layer, *shape: int) -> portanet.Model:
    entries = [portanet.Input(shape, dtype="string"), layer, layers.Flatten(), layers.Dense(1)]
    return portanet.Sequential(entries)


@pytest.mark.parametrize("make", [graph, stack])
def test_a_graph_trains_as_the_model_after_the_lookup(backend: Any, make: Any) -> None:
    model = make(Looked(), 3)
    assert model.output_shape == (None, 1)
    after = portanet.Sequential([layers.Embedding(4, 3), layers.Flatten(), layers.Dense(1)])
    ids = np.asarray([[1, 3, 0], [2, 2, 3]])
    after.predict(ids, verbose=0)
    after.set_weights(model.get_weights())
    seen = []
    for each, x in ((model, WORDS), (after, ids)):
        each.compile(portanet.optimizers.SGD(0.1), "mse")
        seen.append(each.fit(x, GOALS, epochs=2, verbose=0).history["loss"])
    np.testing.assert_allclose(seen[0], seen[1], rtol=1e-5)
    expected = after.predict(ids, verbose=0)
    np.testing.assert_allclose(model.predict(WORDS, verbose=0), expected, rtol=1e-5)
    np.testing.assert_allclose(backend.to_host(model(WORDS)), expected, rtol=1e-5)


def test_texts_files_and_training(tmp_path: pathlib.Path) -> None:
    for model, x in ((graph(Vectorized()), TEXTS), (graph(Vectorized(), 1), TEXTS[:, None])):
        model.compile("sgd", "mse")
        model.fit(x, GOALS, verbose=0)
        expected = model.predict(x, verbose=0)
        for ending in ("keras", "safetensors"):
            path = tmp_path / f"model.{ending}"
            model.save(path)
            np.testing.assert_allclose(portanet.load_model(path).predict(x, verbose=0), expected, rtol=1e-6)
    dropped = graph(Looked(0.9), 3)
    differ = portanet.to_host(dropped(WORDS, training=True)) - portanet.to_host(dropped(WORDS))
    assert np.abs(differ).max() > 0


def test_beside_numbers_and_layers_of_strings() -> None:
    words, numbers = portanet.Input((3,), dtype="string", name="words"), portanet.Input((2,), name="numbers")
    known = layers.StringLookup(vocabulary=["good", "bad"], output_mode="multi_hot")(words)
    merged = layers.Concatenate()([layers.Flatten()(Looked()(words)), known, numbers])
    model = portanet.Model({"words": words, "numbers": numbers}, layers.Dense(1)(merged))
    data = {"words": WORDS, "numbers": np.ones((2, 2), "float32")}
    model.compile("sgd", "mse")
    model.fit(data, GOALS, verbose=0)
    assert model.predict(data, verbose=0).shape == (2, 1)


def test_a_layer_of_numbers_refuses_strings() -> None:
    with pytest.raises(TypeError, match="computes with numbers; encode strings first"):
        layers.Dense(1)(portanet.Input((3,), dtype="string"))
