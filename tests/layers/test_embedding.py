from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.autodiff import grad
from portanet.backends import Array, Backend
from portanet.layers import Embedding
from portanet.models import Model, Sequential
from portanet.variables import bind
from tests.layers.matrix import check_layer
from tests.support import assert_close, assert_equal, to_numpy

WORDS = lambda g: g.integers(0, 6, (3, 4)).astype("int32")
VECTORS = [[0.0, 0.5], [1.0, 1.5], [2.0, 2.5]]


def test_matrix(backend: Backend) -> None:
    check_layer(lambda: Embedding(6, 5), (3, 4), (3, 4, 5), {"embeddings": (6, 5)}, inputs=WORDS)
    check_layer(
        lambda: Embedding(6, 5, embeddings_initializer="ones", mask_zero=True),
        (3,),
        (3, 5),
        {"embeddings": (6, 5)},
        inputs=lambda g: np.asarray([5, 0, 5], dtype="int64"),
    )


def test_vectors_given(backend: Backend) -> None:
    x = portanet.asarray(np.asarray([[2, 0], [1, 1]], dtype="int32"))
    assert_equal(Embedding(3, 2, weights=VECTORS)(x), [[[2, 2.5], [0, 0.5]], [[1, 1.5], [1, 1.5]]])
    assert_equal(Embedding(3, 2, weights=[np.asarray(VECTORS)])(x)[0, ...], [[2, 2.5], [0, 0.5]])
    static = Embedding(3, 2, weights=VECTORS, trainable=False)
    assert static(x) is not None
    assert static.trainable_weights == []
    assert static.get_config().get("weights") is None


class Coarser(layers.Layer):
    """A layer without declarations, whose results are in another range than the data."""

    keeps_shape = True

    def call(self, x: Array) -> Array:
        return x // 16


@pytest.mark.parametrize("functional", [False, True], ids=["sequential", "functional"])
def test_data_is_checked_as_the_embedding_gets_it(backend: Backend, functional: bool) -> None:
    """A limit of `Embedding` holds for the data only behind layers that keep its values."""
    rows = np.asarray([[0, 255], [16, 100]], dtype="int32")

    def model_of(*before: layers.Layer) -> Model:
        chain = [layers.Input((2,), dtype="int32"), *before, Embedding(16, 2), layers.Flatten(), layers.Dense(1)]
        if not functional:
            return Sequential(chain)
        x = start = layers.Input((2,), dtype="int32")
        for layer in chain[1:]:
            x = layer(x)
        return Model(start, x)

    model = model_of(Coarser())
    model.compile("sgd", "mse")
    model.fit(rows, [[0.0], [1.0]], verbose=0)
    assert model.predict(rows).shape == (2, 1)
    kept = model_of(layers.Identity())
    with pytest.raises(IndexError, match=r"Layer .embedding.* from 0 to 15. Received: integers from 0 to 255"):
        kept.predict(rows)


def test_gradients_of_a_word_that_occurs_twice_add_up(backend: Backend) -> None:
    layer = Embedding(3, 2, weights=VECTORS)
    x = portanet.asarray(np.asarray([1, 1, 2], dtype="int32"))
    layer(x)

    def total(vectors):
        with bind({layer.embeddings: vectors}):
            out = layer(x)
        return out.__array_namespace__().sum(out)

    assert_close(grad(total)(layer.embeddings.value), [[0.0, 0.0], [2.0, 2.0], [1.0, 1.0]])


def test_mask(backend: Backend) -> None:
    x = portanet.asarray(np.asarray([[2, 0]], dtype="int32"))
    assert_equal(Embedding(3, 2, mask_zero=True).compute_mask(x), np.asarray([[True, False]]))
    assert Embedding(3, 2).compute_mask(x) is None


def words(*values: int) -> np.ndarray:
    return np.asarray([values], dtype="int32")


@pytest.mark.parametrize("bad", [3, -1])
def test_a_word_out_of_range_is_never_silent(backend: Backend, bad: int) -> None:
    layer = Embedding(3, 2, weights=VECTORS)
    with pytest.raises(IndexError, match=rf"'embedding' has vectors for the integers from 0 to 2. Received: .*{bad}"):
        layer(portanet.asarray(words(1, bad)))
    model = portanet.Sequential([layers.Input((2,)), Embedding(3, 2), layers.Flatten(), layers.Dense(1)])
    model.compile("sgd", "mse")
    right, wrong, y = words(0, 1), words(1, bad), np.ones((1, 1))
    for use in (
        lambda: model.fit(wrong, y, verbose=0),
        lambda: model.fit(right, y, verbose=0, validation_data=(wrong, y)),
        lambda: model.evaluate(wrong, y, verbose=0),
        lambda: model.predict(wrong),
    ):
        with pytest.raises(IndexError, match=r"from 0 to 2"):
            use()


@pytest.mark.parametrize("bad", [3, -1])
def test_where_values_cannot_be_looked_at_the_vector_is_nan(backend: Backend, bad: int) -> None:
    layer = Embedding(3, 2, weights=VECTORS)
    layer(portanet.asarray(words(0)))
    if backend.name != "jax":
        return
    out = backend.compile(lambda x: layer(x, training=True))(portanet.asarray(words(1, bad)))
    assert np.isnan(to_numpy(out)).tolist() == [[[False, False], [True, True]]]


@pytest.mark.parametrize(
    ("use", "error", "message"),
    [
        (lambda: Embedding(0, 2), ValueError, "`input_dim`.*Received: input_dim=0"),
        (lambda: Embedding(3, 2.0), ValueError, "`output_dim`.*Received: output_dim=2.0"),
        (lambda: Embedding(3, 2, weights=[[1.0]]), ValueError, r"shape \(3, 2\). Received: shape \(1, 1\)"),
        (lambda: Embedding(3, 2)(np.ones((1, 2)) > 0), TypeError, "takes integers.*Received: dtype bool"),
    ],
)
def test_bad_input(use, error, message) -> None:
    with pytest.raises(error, match=message):
        use()
