"""Masked values have no influence on outputs or gradients of layers that take a mask, be they 1e6 or NaN."""

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.autodiff import array_namespace, grad
from portanet.tree import tree_leaves
from portanet.variables import bind
from tests.support import assert_close, to_numpy

RNG = np.random.default_rng(0)
X, Y = (RNG.normal(size=(2, 4, 3)).astype("float32") for _ in range(2))
MASK = np.asarray([[True, True, False, False], [False, True, True, False]])
PAIRS = np.broadcast_to(MASK[:, None, :], (2, 4, 4))


class Cell(layers.Layer):
    """A cell of a user's."""

    state_size = 3

    def build(self, input_shape):
        self.factor = self.add_weight((3,), "ones", "factor")

    def call(self, x, states):
        new = x * self.factor.value + states[0]
        return new, [new]


ONE = {
    "average": layers.GlobalAveragePooling1D,
    "maximum": layers.GlobalMaxPooling1D,
    "maximum, kept axis": lambda: layers.GlobalMaxPooling1D(keepdims=True),
    "lstm": lambda: layers.LSTM(2),
    "bidirectional": lambda: layers.Bidirectional(layers.GRU(2)),
    "peephole": lambda: layers.LSTM(2, peephole=True),
    "stacked": lambda: layers.RNN([layers.GRUCell(2), layers.SimpleRNNCell(2)]),
    "custom cell": lambda: layers.RNN(Cell()),
    "jordan": lambda: layers.JordanRNN(2, 3),
}
SEQUENCES = {
    "sequence": lambda: layers.SimpleRNN(2, return_sequences=True),
    "batch normalisation": layers.BatchNormalization,
    "batch normalisation of steps": lambda: layers.TimeDistributed(layers.BatchNormalization()),
    "multi-head attention": lambda: layers.MultiHeadAttention(2, 2),
    "grouped-query attention": lambda: layers.GroupQueryAttention(2, 2, 1),
}
SOURCES = {
    "attention": lambda: layers.Attention(use_scale=True),
    "attention by tanh": lambda: layers.Attention(score_mode="concat"),
    "additive attention": layers.AdditiveAttention,
    "multi-head attention": lambda: layers.MultiHeadAttention(2, 2),
    "grouped-query attention": lambda: layers.GroupQueryAttention(2, 2, 1),
}
MERGING = {"multiply": layers.Multiply, "maximum": layers.Maximum, "minimum": layers.Minimum}


def results(make, value, second=False, sequence=False, **options):
    """Outputs where they count, and gradients of the sum of their squares; masked entries of `X` are `value`."""
    portanet.random.set_seed(0)
    layer, shown = make(), portanet.asarray(MASK[..., None])
    x = portanet.asarray(np.where(MASK[..., None], X, np.float32(value)))
    x = [portanet.asarray(Y), x] if second else x
    layer(x, **options)

    def counted(x):
        out = layer(x, **options)
        return array_namespace(out).where(shown, out, 0.0) if sequence else out

    def total(x, values):
        with bind(dict(zip(layer.weights, values, strict=True))):
            out = counted(x)
            return array_namespace(out).sum(out * out)

    slopes = grad(total, (0, 1))(x, [v.value for v in layer.weights])
    return [to_numpy(leaf) for leaf in (counted(x), *tree_leaves(slopes))]


def assert_same(*arguments, **options):
    expected = results(*arguments, 0.0, **options)
    assert all(np.isfinite(array).all() for array in expected)
    for value in (1e6, float("nan")):
        for a, b in zip(results(*arguments, value, **options), expected, strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", ONE)
def test_vectors(backend, name):
    assert_same(ONE[name], mask=portanet.asarray(MASK))


@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences(backend, name):
    assert_same(SEQUENCES[name], sequence=True, mask=portanet.asarray(MASK), training=True)


@pytest.mark.parametrize("name", SOURCES)
def test_sources(backend, name):
    assert_same(SOURCES[name], second=True, mask=[None, portanet.asarray(MASK)])


@pytest.mark.parametrize("name", SOURCES)
def test_queries_and_sources(backend, name):
    masks = [portanet.asarray(MASK), portanet.asarray(MASK)]
    assert_same(lambda: Twice(SOURCES[name]()), sequence=True, mask=masks)


class Twice(layers.Layer):
    """A layer of two inputs called with the same array as both."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer

    def call(self, x, mask=None):
        return self.layer([x, x], mask=mask)


@pytest.mark.parametrize("name", MERGING)
def test_merging(backend, name):
    assert_same(MERGING[name], second=True, mask=[portanet.asarray(MASK | True), portanet.asarray(MASK)])


def test_attention_mask(backend):
    """Sources that no query sees."""
    assert_same(SOURCES["multi-head attention"], second=True, attention_mask=portanet.asarray(PAIRS))


def test_masked_queries_attend_to_nothing(backend):
    layer, mask = layers.MultiHeadAttention(2, 2, bias_initializer="ones"), portanet.asarray(MASK)
    out, scores = layer(portanet.asarray(X), mask=mask, return_attention_scores=True)
    plain = to_numpy(layer(portanet.asarray(X), mask=mask))
    np.testing.assert_array_equal(plain[~MASK], 1.0)  # the output bias
    assert_close(out, plain)
    by_query = to_numpy(scores).swapaxes(1, 2)
    np.testing.assert_array_equal(by_query[~MASK], 0.0)
    np.testing.assert_allclose(by_query[MASK].sum(axis=-1), 1.0, rtol=1e-5)


def test_values_of_pooling(backend):
    mask = portanet.asarray(np.asarray([[True, False, True, False], [False] * 4]))
    x = np.asarray([[[-3.0], [9.0], [-1.0], [9.0]]] * 2)
    for layer, expected in ((layers.GlobalMaxPooling1D, -1.0), (layers.GlobalAveragePooling1D, -2.0)):
        assert_close(layer()(portanet.asarray(x), mask=mask), [[expected], [0.0]])
        first = layer(data_format="channels_first", keepdims=True)
        assert_close(first(portanet.asarray(x.swapaxes(1, 2)), mask=mask), [[[expected]], [[0.0]]])
        with pytest.raises(ValueError, match=r"`mask` of layer 'global_.*' must be .*Received: mask=\(2, 3\)"):
            layer()(portanet.asarray(x), mask=mask[:, :3])


def test_masks_of_reversed_sequences(backend):
    mask, x = portanet.asarray(MASK), portanet.asarray(X)
    for layer in (
        layers.GRU(2, return_sequences=True, go_backwards=True),
        layers.Bidirectional(layers.GRU(2, return_sequences=True, go_backwards=True)),
    ):
        np.testing.assert_array_equal(to_numpy(layer.compute_mask(x, mask)), MASK[:, ::-1])
    both = layers.Bidirectional(layers.GRU(2, return_sequences=True, return_state=True), merge_mode=None)
    first, second, *states = both.compute_mask(x, mask)
    np.testing.assert_array_equal(to_numpy(first), MASK)
    np.testing.assert_array_equal(to_numpy(second), MASK)
    assert states == [None, None]


def test_values_of_merging(backend):
    a, b = portanet.asarray([[[2.0], [3.0], [5.0]]]), portanet.asarray([[[7.0], [-1.0], [4.0]]])
    masks = [portanet.asarray([[True, False, False]]), portanet.asarray([[True, True, False]])]
    assert_close(layers.Multiply()([a, b], mask=masks), [[[14.0], [-1.0], [0.0]]])
    assert_close(layers.Multiply()([a, b], mask=[masks[0], None]), [[[14.0], [-1.0], [4.0]]])
    assert_close(layers.Maximum()([a, b], mask=masks), [[[7.0], [-1.0], [5.0]]])
    assert_close(layers.Minimum()([a, b], mask=[None, masks[1]]), [[[2.0], [-1.0], [5.0]]])
