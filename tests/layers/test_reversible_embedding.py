"""Embeddings that project back, on every backend, and against Keras."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import Array, Backend
from portanet.layers import ReversibleEmbedding
from tests.layers.matrix import check_layer
from tests.support import assert_close, to_numpy

WORDS = lambda g: g.integers(0, 6, (3, 4)).astype("int32")


def test_matrix(backend: Backend) -> None:
    make = lambda: ReversibleEmbedding(6, 5)
    check_layer(make, (3, 4), (3, 4, 5), {"embeddings": (6, 5)}, inputs=WORDS)
    own = {"embeddings": (6, 5), "reverse_embeddings": (5, 6)}
    check_layer(
        lambda: ReversibleEmbedding(
            6, 5, tie_weights=False, mask_zero=True, reverse_dtype="float32", logit_soft_cap=2.0
        ),
        (3, 4),
        (3, 4, 5),
        own,
        inputs=WORDS,
        unchanged=["reverse_embeddings"],
    )


@pytest.mark.parametrize("tied", [True, False])
def test_scores(backend: Backend, tied: bool) -> None:
    layer = ReversibleEmbedding(3, 2, tied, logit_soft_cap=5.0)
    layer.build((None,))
    kernel = np.arange(6.0).reshape(3, 2)
    layer.set_weights([kernel] if tied else [np.zeros((3, 2)), kernel.T])
    x = np.asarray([[1.0, -2.0], [0.5, 3.0]])
    assert_close(layer(portanet.asarray(x), reverse=True), 5 * np.tanh(x @ kernel.T / 5))


def test_precision_of_the_scores(backend: Backend) -> None:
    if not hasattr(backend.xp, "float16"):
        pytest.skip("no half precision")
    layer = ReversibleEmbedding(3, 2, reverse_dtype="float32", dtype="mixed_float16")
    hidden = layer(portanet.asarray(np.asarray([[0, 2]], dtype="int32")))
    assert backend.dtype_name(hidden.dtype) == "float16"
    assert backend.dtype_name(layer(hidden, reverse=True).dtype) == "float32"


class Doubled(layers.Layer):
    """Embeds, and uses the mask of the words; a layer of a user's own finds it by the array."""

    def __init__(self) -> None:
        super().__init__()
        self.words, self.sequence = ReversibleEmbedding(4, 3, mask_zero=True), layers.LSTM(2)

    def call(self, x: Array) -> Array:
        return self.sequence(self.words(x))


def test_the_mask_is_that_of_the_integers_and_scores_have_none(backend: Backend) -> None:
    words = layers.Input((None,), dtype="int32")
    layer = ReversibleEmbedding(4, 3, mask_zero=True)
    hidden = layer(words)
    out, scores = layers.LSTM(2)(hidden), layer(hidden, reverse=True)
    assert scores.shape == (None, None, 4)
    model = portanet.Model(words, [out, scores])
    short, padded = np.asarray([[1, 2, 3]], dtype="int32"), np.asarray([[1, 2, 3, 0, 0]], dtype="int32")
    expected = model.predict(short, verbose=0)[0]
    np.testing.assert_allclose(model.predict(padded, verbose=0)[0], expected, rtol=1e-5)
    doubled = Doubled()
    assert_close(doubled(portanet.asarray(padded)), to_numpy(doubled(portanet.asarray(short))))
    head = layers.Input((3,))
    decoder = portanet.Model(head, layer(head, reverse=True))
    assert decoder.predict(np.full((2, 3), 0.5), verbose=0).shape == (2, 4)


def test_integers_out_of_range_and_bad_arguments() -> None:
    layer = ReversibleEmbedding(4, 3)
    with pytest.raises(IndexError, match=r"integers from 0 to 3. Received: integers from 4 to 4"):
        layer(np.asarray([4]))
    with pytest.raises(ValueError, match="3 features on axis -1"):
        layer(np.ones((2, 4), dtype="float32"), reverse=True)
    with pytest.raises(ValueError, match="`reverse_dtype`"):
        ReversibleEmbedding(4, 3, reverse_dtype="int8")


def test_against_keras() -> None:
    keras = pytest.importorskip("keras")
    for tied in (True, False):
        ours, theirs = (L.ReversibleEmbedding(4, 3, tied, logit_soft_cap=0.1) for L in (layers, keras.layers))
        ours.build((None,))
        theirs.build((None,))
        theirs.set_weights(ours.get_weights())
        words = np.asarray([[0, 3, 1]])
        hidden = np.random.default_rng(0).normal(size=(2, 3)).astype("float32")
        np.testing.assert_allclose(ours(words), theirs(words).detach().numpy())
        np.testing.assert_allclose(ours(hidden, reverse=True), theirs(hidden, reverse=True).detach().numpy(), rtol=1e-5)
