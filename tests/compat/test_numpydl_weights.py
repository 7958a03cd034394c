"""Attributes such as `W` and `b` hold parameters as NumPyDL's formulas have them."""

import numpy as np
import pytest

import portanet.compat.numpydl as npdl
from portanet.backends import to_host
from tests.support import assert_close

generator = np.random.default_rng(0)
layers = npdl.layers


class Before:
    def __init__(self, *out_shape):
        self.out_shape = out_shape


@pytest.fixture(autouse=True)
def dtype():
    npdl.utils.set_seed(0)
    npdl.utils.set_dtype("float64")
    yield
    npdl.utils.set_dtype("float32")


def connected(layer, *before):
    layer.connect_to(Before(*before) if before else None)
    return layer


def test_weights_of_dense_layers(backend):
    x, g = generator.normal(size=(5, 3)), generator.normal(size=(5, 4))
    layer = connected(layers.Linear(4, n_in=3))
    assert layer.dW is layer.db is None
    assert layer.grads == [None, None]
    assert len(layer.param_grads) == 2
    assert_close(layer.forward(x), x @ to_host(layer.W) + to_host(layer.b), dtype="float64", rtol=1e-9)
    layer.backward(g)
    assert_close(layer.dW, x.T @ g, dtype="float64", rtol=1e-9)
    assert_close(layer.db, g.sum(axis=0), dtype="float64", rtol=1e-9)
    layer.W, layer.b = np.ones((3, 4)), np.full(4, 2)
    assert_close(layer.forward(x), x.sum(axis=1, keepdims=True) + np.full(4, 2.0), dtype="float64", rtol=1e-9)
    layer.W -= 0.5 * layer.W
    assert_close(layer.params[0], np.full((3, 4), 0.5), dtype="float64")
    with pytest.raises(ValueError, match="has shape"):
        layer.W = np.ones((4, 3))
    with pytest.raises(RuntimeError, match="call connect_to"):
        layers.Dense(3).W = np.ones((2, 3))


def test_weights_of_convolutions(backend):
    """(filters, channels, rows, columns), as `init` draws them."""
    x, g = generator.normal(size=(2, 3, 4, 5)), generator.normal(size=(2, 2, 3, 3))
    layer = connected(layers.Convolution(2, (2, 3), input_shape=(None, 3, 4, 5), activation="linear"))
    w = to_host(layer.W)
    assert w.shape == (2, 3, 2, 3)
    patches = np.lib.stride_tricks.sliding_window_view(x, (2, 3), axis=(2, 3))
    layer.b = np.asarray([1.0, 2.0])
    expected = np.einsum("nchwij,fcij->nfhw", patches, w) + np.asarray([1.0, 2.0])[:, None, None]
    assert_close(layer.forward(x), expected, dtype="float64", rtol=1e-9)
    layer.backward(g)
    assert_close(layer.dW, np.einsum("nchwij,nfhw->fcij", patches, g), dtype="float64", rtol=1e-9)
    assert_close(layer.db, g.sum(axis=(0, 2, 3)), dtype="float64", rtol=1e-9)
    layer.W = np.zeros_like(w)
    assert_close(layer.forward(x)[:, 1, ...], np.full((2, 3, 3), 2.0), dtype="float64")


def test_a_convolution_draws_by_its_own_fans():
    npdl.utils.set_seed(3)
    layer = connected(layers.Convolution(40, (3, 3), input_shape=(None, 20, 5, 5)))
    npdl.utils.set_seed(3)
    drawn = npdl.initializations.GlorotUniform().call((40, 20, 3, 3))
    np.testing.assert_array_equal(layer.W, drawn)
    assert np.abs(drawn).max() == pytest.approx(np.sqrt(6 / (60 * 9)), rel=0.01)


def test_weights_of_batch_normalization(backend):
    layer = connected(layers.BatchNormal(), 10, 3)
    layer.gamma, layer.beta = np.asarray([1.0, 2.0, 3.0]), np.asarray([0.0, 1.0, 2.0])
    out = to_host(layer.forward(generator.normal(size=(50, 3))))
    np.testing.assert_allclose(out.mean(axis=0), [0, 1, 2], atol=1e-9)
    np.testing.assert_allclose(out.std(axis=0), [1, 2, 3], rtol=1e-4)
    layer.backward(np.ones((50, 3)))
    assert_close(layer.dbeta, np.full(3, 50.0), dtype="float64", rtol=1e-9)
    np.testing.assert_allclose(to_host(layer.dgamma), np.zeros(3), atol=1e-9)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def randomize(layer):
    layer.set_params([npdl.utils.random.to_array(generator.normal(size=tuple(p.shape))) for p in layer.params])


def test_weights_of_simple_rnn(backend):
    """`o_t = tanh(x_t W + o_(t-1) U + b)`."""
    layer = connected(layers.SimpleRNN(n_out=4, n_in=3))
    randomize(layer)
    x, h = generator.normal(size=(2, 5, 3)), np.zeros((2, 4))
    w, u, b = map(to_host, (layer.W, layer.U, layer.b))
    for t in range(5):
        h = np.tanh(x[:, t] @ w + h @ u + b)
    assert_close(layer.forward(x), h, dtype="float64", rtol=1e-9)
    layer.backward(np.ones((2, 4)))
    assert [to_host(d).shape for d in (layer.dW, layer.dU, layer.db)] == [(3, 4), (4, 4), (4,)]


def test_weights_of_gru(backend):
    """The four equations of the documentation."""
    layer = connected(layers.GRU(n_out=4, n_in=3))
    randomize(layer)
    x, s = generator.normal(size=(2, 5, 3)), np.zeros((2, 4))
    a = {f"{n}_{k}": to_host(getattr(layer, f"{n}_{k}")) for n in "UWb" for k in "zrh"}
    for t in range(5):
        z = sigmoid(x[:, t] @ a["U_z"] + s @ a["W_z"] + a["b_z"])
        r = sigmoid(x[:, t] @ a["U_r"] + s @ a["W_r"] + a["b_r"])
        h = np.tanh(x[:, t] @ a["U_h"] + (s * r) @ a["W_h"] + a["b_h"])
        s = (1 - z) * h + z * s
    assert_close(layer.forward(x), s, dtype="float64", rtol=1e-9)
    layer.backward(np.ones((2, 4)))
    assert to_host(layer.grad_U_r).shape == (3, 4)


def lstm(x, a, c, h, mask=None):
    mask = np.ones(x.shape[:2]) if mask is None else mask
    for t in range(x.shape[1]):
        f, i, o = (sigmoid(x[:, t] @ a[f"U_{k}"] + h @ a[f"W_{k}"] + a[f"b_{k}"]) for k in "fio")
        g = np.tanh(x[:, t] @ a["U_g"] + h @ a["W_g"] + a["b_g"])
        m = mask[:, t, None]
        c, before = m * (f * c + i * g) + (1 - m) * c, h
        h = m * (o * np.tanh(c)) + (1 - m) * before
    return c, h


@pytest.mark.parametrize("cls", ["LSTM", "BatchLSTM"])
def test_weights_of_lstm(backend, cls):
    """The six equations of the documentation; then weights are assigned, as the chatbot does."""
    layer = connected(getattr(layers, cls)(n_out=4, n_in=3))
    np.testing.assert_array_equal(to_host(layer.b_f), np.ones(4))
    x, zero = generator.normal(size=(2, 5, 3)), np.zeros((2, 4))
    a = {f"{n}_{k}": generator.normal(size=to_host(getattr(layer, f"{n}_{k}")).shape) for n in "UWb" for k in "figo"}
    for name, value in a.items():
        setattr(layer, name, value)
    for name, value in a.items():
        assert_close(getattr(layer, name), value, dtype="float64")
    c0, h0 = generator.normal(size=(2, 4)), generator.normal(size=(2, 4))
    assert_close(layer.forward(x), lstm(x, a, zero, zero)[1], dtype="float64", rtol=1e-9)
    assert_close(layer.forward(x, c0=c0, h0=h0), lstm(x, a, c0, h0)[1], dtype="float64", rtol=1e-9)
    step = 1e-6
    slope = to_host(layer.backward(np.ones((2, 4))))
    central = [lstm(x + s * (np.arange(3) == 1) * (np.arange(5) == 2)[:, None], a, c0, h0)[1].sum(axis=1)
               for s in (step, -step)]  # fmt: skip
    np.testing.assert_allclose(slope[:, 2, 1], (central[0] - central[1]) / (2 * step), rtol=1e-6)
    central = [lstm(x, a | {"W_o": a["W_o"] + s * np.eye(4)}, c0, h0)[1].sum() for s in (step, -step)]
    assert np.trace(to_host(layer.grad_W_o)) == pytest.approx((central[0] - central[1]) / (2 * step), rel=1e-6)


def test_lstm_keeps_its_last_states(backend):
    """A decoder continues where the encoder ended."""
    layer = connected(layers.LSTM(n_out=4, n_in=3))
    randomize(layer)
    x, mask = generator.normal(size=(2, 6, 3)), np.asarray([[0, 0, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1.0]])
    a = {f"{n}_{k}": to_host(getattr(layer, f"{n}_{k}")) for n in "UWb" for k in "figo"}
    c, h = lstm(x, a, np.zeros((2, 4)), np.zeros((2, 4)), mask)
    whole = layer.forward(x, mask)
    for value, expected in ((layer.c0, c), (layer.h0, h), (whole, h)):
        assert_close(value, expected, dtype="float64", rtol=1e-9)
    layer.forward(x[:, :4], mask[:, :4])
    assert_close(layer.forward(x[:, 4:], mask[:, 4:], layer.c0, layer.h0), whole, dtype="float64", rtol=1e-9)


def test_batch_lstm_has_all_weights_in_one_matrix(backend):
    """Rows: bias, input, hidden state; columns: gates i, f, o, g."""
    layer = connected(layers.BatchLSTM(n_out=2, n_in=3))
    w = generator.normal(size=(6, 8))
    layer.AllW = w
    assert_close(layer.AllW, w, dtype="float64")
    x, h, c = generator.normal(size=(2, 4, 3)), np.zeros((2, 2)), np.zeros((2, 2))
    for t in range(4):
        i, f, o, g = np.split(np.concatenate([np.ones((2, 1)), x[:, t], h], axis=1) @ w, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        h = sigmoid(o) * np.tanh(c)
    assert_close(layer.forward(x), h, dtype="float64", rtol=1e-9)
    layer.backward(np.ones((2, 2)))
    assert to_host(layer.d_AllW).shape == (6, 8)
    assert_close(layer.d_AllW[0, 2:4], layer.grad_b_f, dtype="float64")


def test_vectors_of_embeddings(backend):
    vectors, words = generator.normal(size=(5, 3)), np.asarray([[0, 4], [4, 2]])
    layer = layers.Embedding(vectors, static=False)
    assert len(layer.params) == len(layer.grads) == len(layer.param_grads) == 1
    assert_close(layer.forward(words), vectors[words], dtype="float64")  # before connect_to
    layer.connect_to()
    assert layer.out_shape == (None, None, 3)
    layer.backward(np.ones((2, 2, 3)))
    assert_close(layer.d_embed_words, np.asarray([1, 0, 1, 0, 2.0])[:, None] * np.ones(3), dtype="float64")
    layer.embed_words = 2 * vectors
    assert layer.embed_words.shape[0] == 5
    assert_close(layer.forward(words), 2 * vectors[words], dtype="float64")
    with pytest.raises(AssertionError, match=r"shape \(batch, time\)"):
        layer.forward(np.arange(3))


@pytest.mark.parametrize("options", [{}, {"input_size": 3}, {"n_out": 3}])
def test_an_embedding_needs_vectors_or_both_sizes(options):
    with pytest.raises(ValueError, match=r"needs `embed_words`, or `input_size` and `n_out`\. Received: input_size="):
        npdl.layers.Embedding(**options)
