"""Masks in models and layers with a `call` of their own against Keras 3: same weights and data, equal values.

Not compared, as Keras does this by accident: `MultiHeadAttention` removes the mask from its arguments, so that a sum
with them has none; recurrent layers ignore the mask if they are given an initial state; layers of a model whose `call`
does not take `training` never train.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers

keras = pytest.importorskip("keras")
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*mask:UserWarning"),
]

RNG = np.random.default_rng(4)
WORDS = RNG.integers(0, 5, (8, 6))
WORDS[:, 4:] = 0
WORDS[:, 0] = 1
VECTORS, SEQUENCES = (RNG.normal(size=shape).astype("float32") for shape in ((8, 2), (8, 6, 2)))


def custom(kind: Any, call: Any, parts: dict[str, Any], base: Any = None, **attributes: Any) -> Any:
    """A layer, or model, of portanet or Keras with `parts` in attributes and this `call`."""

    def init(self: Any) -> None:
        super(made, self).__init__()
        for name, part in parts.items():
            setattr(self, name, part)

    made = type("Custom", (base or kind.Layer,), {"__init__": init, "call": call, **attributes})
    return made()


def words(kind: Any) -> Any:
    return kind.Embedding(5, 4, mask_zero=True, name="words")


def after(**parts: Any) -> Any:
    """A model that applies its parts, in order, to the embedded words."""

    def make(library: Any, kind: Any) -> Any:
        def call(self: Any, x: Any, training: bool = False) -> Any:
            x = self.words(x)
            for name in parts:
                x = getattr(self, name)(x)
            return x

        made = {name: part(kind) for name, part in parts.items()}
        return custom(kind, call, {"words": words(kind), **made}, library.Model)

    return make


def twice(self: Any, x: Any) -> Any:
    return self.second(self.first(x))


def layer_of_two(kind: Any) -> Any:
    return custom(kind, twice, {"first": kind.Dense(3), "second": kind.GRU(2, return_sequences=True)})


def scale(kind: Any, **attributes: Any) -> Any:
    return custom(kind, lambda self, x: x * 2.0, {}, **attributes)


def attending(library: Any, kind: Any) -> Any:
    def call(self: Any, x: Any) -> Any:
        x = self.words(x)
        y = self.norm(self.attention(x, x))
        return self.norm(self.add([y, self.last(y)]))

    parts = {"attention": kind.MultiHeadAttention(2, 3), "last": kind.Dense(4), "add": kind.Add()}
    return custom(kind, call, {"words": words(kind), **parts, "norm": kind.LayerNormalization()}, library.Model)


def explicit(library: Any, kind: Any) -> Any:
    """A mask passed by hand goes on to the output."""

    def call(self: Any, x: Any) -> Any:
        return self.last(self.recurrent(self.words(x), mask=x != 0))

    parts = {"words": kind.Embedding(5, 4), "recurrent": kind.LSTM(3, return_sequences=True), "last": kind.Dense(2)}
    return custom(kind, call, parts, library.Model)


def masking(library: Any, kind: Any) -> Any:
    """A mask of numbers, in a layer in a layer in a model."""
    inner = custom(kind, lambda self, x: self.first(x), {"first": kind.Masking(0.0)})
    outer = custom(kind, twice, {"first": inner, "second": kind.SimpleRNN(2, return_sequences=True)})
    table = kind.Embedding(5, 3, embeddings_initializer="ones", trainable=False)

    def call(self: Any, x: Any) -> Any:
        return self.second(self.first(self.table(x) * self.shown(x)))

    shown = kind.Embedding(5, 3, trainable=False, name="shown")
    return custom(kind, call, {"table": table, "shown": shown, "first": outer, "second": kind.Dense(2)}, library.Model)


def graph_inside(library: Any, kind: Any) -> Any:
    x = kind.Input((6,), dtype="int32")
    graph = library.Model(x, kind.Dense(3)(words(kind)(x)))
    return custom(kind, twice, {"first": graph, "second": kind.LSTM(2, return_sequences=True)}, library.Model)


def sequential_inside(library: Any, kind: Any) -> Any:
    stack = library.Sequential([kind.Dense(3), kind.Dropout(0.0), kind.GRU(2, return_sequences=True)])
    return custom(kind, twice, {"first": words(kind), "second": stack}, library.Model)


def inside_graph(library: Any, kind: Any) -> Any:
    x = kind.Input((6,), dtype="int32")
    return library.Model(x, kind.Dense(2)(layer_of_two(kind)(words(kind)(x))))


def model_inside_sequential(library: Any, kind: Any) -> Any:
    body = custom(kind, twice, {"first": words(kind), "second": kind.Dense(3)}, library.Model)
    return library.Sequential([kind.Input((6,), dtype="int32"), body, kind.SimpleRNN(2, return_sequences=True)])


MODELS = {
    "recurrent": after(recurrent=lambda kind: kind.LSTM(3)),
    "sequence": after(recurrent=lambda kind: kind.LSTM(3, return_sequences=True), last=lambda kind: kind.Dense(2)),
    "bidirectional": after(both=lambda kind: kind.Bidirectional(kind.GRU(2, return_sequences=True))),
    "pooling": after(pool=lambda kind: kind.GlobalAveragePooling1D()),
    "batch normalisation": after(norm=lambda kind: kind.BatchNormalization()),
    "convolution": after(local=lambda kind: kind.Conv1D(2, 3, padding="same")),
    "no shape change": after(local=lambda kind: kind.Reshape((6, 4)), last=lambda kind: kind.LSTM(2)),
    "dropout": after(drop=lambda kind: kind.Dropout(0.0), last=lambda kind: kind.LSTM(2)),
    "layer of two": after(block=layer_of_two, last=lambda kind: kind.Dense(2)),
    "arithmetic drops the mask": after(block=scale, last=lambda kind: kind.SimpleRNN(2, return_sequences=True)),
    "arithmetic that keeps the mask": after(
        block=lambda kind: scale(kind, compute_mask=lambda self, x, mask=None: mask),
        last=lambda kind: kind.SimpleRNN(2, return_sequences=True),
    ),
    "arithmetic that supports masks": after(
        block=lambda kind: scale(kind, supports_masking=True),
        last=lambda kind: kind.SimpleRNN(2, return_sequences=True),
    ),
    "rms normalisation": after(norm=lambda kind: kind.RMSNormalization()),
    "attending": attending,
    "explicit": explicit,
    "masking": masking,
    "graph inside": graph_inside,
    "sequential inside": sequential_inside,
    "inside a graph": inside_graph,
    "model inside sequential": model_inside_sequential,
}


SPLIT: dict[str, Any] = {"batch_size": 3, "epochs": 2, "shuffle": False, "verbose": 0}


def targets(shape: Any) -> Any:
    return (VECTORS if len(shape) == 2 else SEQUENCES)[..., :1] + np.zeros(shape, "float32")


def built(name: str) -> Any:
    """A model of portanet; its initial weights are the same on every backend."""
    portanet.random.set_seed(0)
    model = MODELS[name](portanet, layers)
    model(portanet.asarray(WORDS, "int32"))
    return model


def variables(model: Any) -> list[Any]:
    """The variables of the layers of a model, in order; not of paths, which differ."""
    return [v for layer in model.flatten_layers() for v in layer._variables.values() if not v.counter]


@functools.cache
def expected(name: str) -> tuple[Any, ...]:
    """Predictions, history of fit, results of evaluate and weights in Keras."""
    with portanet.use_backend("numpy"):
        weights = variables(built(name))
    model = MODELS[name](keras, keras.layers)
    shape = model(WORDS).shape
    for weight, other in zip(weights, model.weights, strict=True):
        other.assign(weight.numpy())
    model.compile(keras.optimizers.SGD(0.1), "mse", metrics=["mae"])
    y = targets(shape)
    predictions = model.predict(WORDS, verbose=0)
    history = model.fit(WORDS, y, **SPLIT).history
    return predictions, history, model.evaluate(WORDS, y, verbose=0), [v.numpy() for v in model.weights]


@pytest.mark.parametrize("name", MODELS)
def test_fit_and_evaluate(backend: Any, name: str) -> None:
    predictions, history, results, weights = expected(name)
    model = built(name)
    model.compile(portanet.optimizers.SGD(0.1), "mse", metrics=["mae"])
    y = targets(predictions.shape)
    shown = WORDS != 0 if name == "attending" else ...  # masked queries attend to nothing; in Keras, to everything
    np.testing.assert_allclose(model.predict(WORDS, verbose=0)[shown], predictions[shown], rtol=1e-4, atol=1e-5)
    logs = model.fit(WORDS, y, **SPLIT).history
    for key, values in history.items():
        np.testing.assert_allclose(logs[key], values, rtol=1e-4, err_msg=key)
    np.testing.assert_allclose(model.evaluate(WORDS, y, verbose=0), results, rtol=1e-4)
    for weight, value in zip(variables(model), weights, strict=True):
        np.testing.assert_allclose(weight.numpy(), value, rtol=1e-3, atol=1e-5, err_msg=weight.path)
