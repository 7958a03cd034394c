"""The order of layers and weights in graphs with branches is that of Keras, so that `set_weights` means the same."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import portanet

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning")


def branches(k: Any) -> Any:
    a, b = k.Input((3,), name="a"), k.Input((3,), name="b")
    long = k.layers.Dense(3, name="first")(k.layers.Dense(3, name="deep")(a))
    short = k.layers.Dense(3, name="second")(b)
    joined = k.layers.Concatenate(name="join")([long, short])
    return k.Model([a, b], [k.layers.Dense(2, name="out")(joined), k.layers.Dense(2, name="side")(long)])


def two_towers(k: Any) -> Any:
    title, body = k.Input((None,), name="title"), k.Input((None,), name="body")
    x = k.layers.LSTM(4, name="lstm_title")(k.layers.Embedding(9, 3, name="words_title")(title))
    y = k.layers.LSTM(4, name="lstm_body")(k.layers.Embedding(9, 3, name="words_body")(body))
    return k.Model({"title": title, "body": body}, k.layers.Dense(1, name="d")(k.layers.Add(name="add")([x, y])))


def residual(k: Any) -> Any:
    x = k.Input((4,), name="x")
    shared = k.layers.Dense(4, name="shared")
    y = shared(x)
    z = k.layers.Dense(4, name="branch")(y)
    z = k.layers.Add(name="sum")([shared(z), y, x])
    return k.Model(x, k.layers.Dense(4, name="last")(z))


def nested(k: Any) -> Any:
    x = k.Input((4,), name="x")
    inner = k.Model(x, k.layers.Dense(4, name="in")(x), name="inner")
    a, b = k.Input((4,), name="p"), k.Input((4,), name="q")
    return k.Model([a, b], k.layers.Add(name="both")([k.layers.Dense(4, name="own")(a), inner(inner(b))]))


@pytest.mark.parametrize("make", [branches, two_towers, residual, nested])
def test_the_order_of_layers_and_weights(make: Callable[[Any], Any]) -> None:
    ours, theirs = make(portanet), make(keras)
    assert [layer.name for layer in ours.layers] == [layer.name for layer in theirs.layers]
    rng = np.random.default_rng(0)
    values = [rng.standard_normal(w.shape).astype("float32") for w in ours.get_weights()]
    theirs.set_weights(values)
    ours.set_weights(values)
    words = {"title": np.asarray([[1, 2]]), "body": np.asarray([[3, 4]])}
    inputs = ours.input_layers.values()
    numbers = {layer.name: np.ones((2, layer.output.shape[1] or 1), "float32") for layer in inputs}
    x = words if make is two_towers else numbers
    if len(x) == 1:
        x = x["x"]
    outputs, expected = ours.predict(x, verbose=0), theirs.predict(x, verbose=0)
    several = isinstance(expected, list)
    for a, b in zip(outputs if several else [outputs], expected if several else [expected], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
