"""Graphs against Keras with the same weights."""

import numpy as np
import pytest

import portanet
from portanet import layers

keras = pytest.importorskip("keras")

RNG = np.random.default_rng(3)


def several(library, kind):
    """Two inputs, two outputs."""
    a, b = kind.Input((4,), name="a"), kind.Input((3,), name="b")
    x = kind.Dense(5, activation="tanh")(a)
    return library.Model([a, b], [kind.Dense(2)(kind.Concatenate()([x, b])), kind.Dense(1)(kind.Subtract()([b, b]))])


def shared(library, kind):
    """One layer in three places."""
    a, b = kind.Input((4,), name="a"), kind.Input((4,), name="b")
    dense = kind.Dense(4, activation="tanh")
    return library.Model([a, b], kind.Dense(2)(kind.Multiply()([dense(dense(a)), dense(b)])))


def nested(library, kind):
    """A graph and a chain as layers."""
    inner = kind.Input((4,))
    encoder = library.Model(inner, kind.Add()([kind.Dense(4, activation="tanh")(inner), inner]))
    head = library.Sequential([kind.Input((4,)), kind.Dense(3, activation="relu"), kind.Dense(1)])
    a, b = kind.Input((4,), name="a"), kind.Input((4,), name="b")
    return library.Model([a, b], head(kind.Subtract()([encoder(a), encoder(b)])))


@pytest.mark.parametrize("build", [several, shared, nested])
def test_graphs_compute_what_keras_computes(build):
    ours, theirs = build(portanet, layers), build(keras, keras.layers)
    assert [v.shape for v in ours.weights] == [tuple(v.shape) for v in theirs.weights]
    assert ours.count_params() == theirs.count_params()
    weights = [RNG.normal(size=v.shape).astype("float32") for v in ours.weights]
    ours.set_weights(weights)
    theirs.set_weights(weights)
    x = [RNG.normal(size=(6, *shape[1:])).astype("float32") for shape in ours.input_shape]
    result, expected = ours.predict(x), theirs(x)
    for mine, other in zip(*((y if isinstance(y, list) else [y]) for y in (result, expected)), strict=True):
        np.testing.assert_allclose(mine, other.detach().numpy(), rtol=1e-4, atol=1e-5)
