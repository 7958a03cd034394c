"""Activation layers and wrapper layers against Keras and PyTorch with the same weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import activations, layers
from tests.oracles.compare import TOLERANCE, compare, drawn

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")
K = keras.layers

PLAIN: dict[str, tuple[Any, dict[str, Any]]] = {
    "Activation": (layers.Activation, {"activation": "softplus"}),
    "ELU": (layers.ELU, {"alpha": 0.7}),
    "LeakyReLU": (layers.LeakyReLU, {"negative_slope": 0.2}),
    "ReLU": (layers.ReLU, {"max_value": 1.0, "negative_slope": 0.1, "threshold": 0.2}),
    "Softmax": (layers.Softmax, {"axis": 1}),
    "Softmax, two axes": (layers.Softmax, {"axis": (1, 2)}),
}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", PLAIN)
def test_activations_without_weights(name: str, dtype: str) -> None:
    kind, options = PLAIN[name]
    theirs = getattr(K, kind.__name__)(**options, dtype=dtype)
    compare(kind(**options), lambda x, w: theirs(x[0]), drawn((3, 4, 5)), [], dtype)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_prelu(dtype: str) -> None:
    x, alpha = drawn((3, 4), (4,))
    compare(layers.PReLU(), lambda x, w: torch.nn.functional.prelu(x[0], w[0]), [x], [alpha], dtype)
    theirs = K.PReLU(shared_axes=[1], dtype=dtype)
    theirs.build((None, 2, 4))
    theirs.set_weights([alpha[None]])
    (image,) = drawn((3, 2, 4))
    with portanet.use_backend("numpy", dtype=dtype):
        ours = layers.PReLU(shared_axes=[1])
        ours.build((None, 2, 4))
        ours.set_weights([alpha[None]])
        result = ours(portanet.asarray(image))
    np.testing.assert_allclose(result, theirs(torch.tensor(image)).detach().numpy(), rtol=1e-5)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_time_distributed(dtype: str) -> None:
    x, kernel, bias = drawn((2, 3, 4), (4, 5), (5,))

    def theirs(x: Any, w: Any) -> Any:
        return torch.stack([torch.tanh(torch.nn.functional.linear(x[0][:, t], w[0].T, w[1])) for t in range(3)], 1)

    compare(layers.TimeDistributed(layers.Dense(5, "tanh")), theirs, [x], [kernel, bias], dtype)


CELLS = ("SimpleRNNCell", "GRUCell", "LSTMCell")


@pytest.mark.parametrize("names", [*((name,) for name in CELLS), CELLS], ids="+".join)
def test_cells_alone_and_stacked(names: tuple[str, ...]) -> None:
    """In float32, as Keras's matmul on PyTorch, whatever the dtype of its operands."""
    (x,) = drawn((2, 5, 3))
    theirs = K.RNN([getattr(K, name)(4) for name in names], return_sequences=True)
    cells = [getattr(layers, name)(4) for name in names]
    ours = layers.RNN(layers.StackedRNNCells(cells) if len(cells) > 1 else cells[0], return_sequences=True)
    ours.build(x.shape)
    theirs.build(x.shape)
    theirs.set_weights(ours.get_weights())
    expected = theirs(torch.tensor(x, dtype=torch.float32)).detach().numpy()
    np.testing.assert_allclose(ours(portanet.asarray(x)), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_maxout(dtype: str) -> None:
    """The maximum over pieces that are `Dense` layers."""
    x, kernel, bias = drawn((3, 4), (4, 10), (10,))
    single = layers.Maxout(5, pieces=2)
    with portanet.use_backend("numpy", dtype=dtype):
        probe = layers.Maxout(5, pieces=2)
        probe.build((None, 4))
        probe.set_weights([np.zeros((4, 10)), np.arange(10.0)])
        grouped = bool((probe(np.zeros((1, 4), dtype=dtype))[0] == np.arange(1.0, 10.0, 2)).all())

    def theirs(x: Any, w: Any) -> Any:
        pieces = (x[0] @ w[0] + w[1]).reshape((-1, 5, 2) if grouped else (-1, 2, 5))
        return pieces.amax(dim=2 if grouped else 1)

    compare(single, theirs, [x], [kernel, bias], dtype)


def test_sine_position_encoding_by_its_formula() -> None:
    result = layers.SinePositionEncoding()(np.zeros((1, 7, 6)))[0]
    for position in range(7):
        for i in range(3):
            angle = position / 10000 ** (2 * i / 6)
            np.testing.assert_allclose(result[position, 2 * i : 2 * i + 2], [np.sin(angle), np.cos(angle)], atol=1e-6)


def theano_ultra_fast_sigmoid(x: float) -> float:
    """Theano's own scalar code (theano/tensor/nnet/sigm.py, UltraFastScalarSigmoid)."""
    z = abs(0.5 * x)
    if z < 1.7:
        z = 1.5 * z / (1 + z)
    elif z < 3:
        z = 0.935409070603099 + 0.0458812946797165 * (z - 1.7)
    else:
        z = 0.99505475368673
    return 0.5 * ((z if x >= 0 else -z) + 1.0)


def test_ultra_fast_sigmoid_against_theanos_code() -> None:
    x = np.linspace(-9, 9, 400)
    expected = [theano_ultra_fast_sigmoid(float(each)) for each in x]
    np.testing.assert_allclose(activations.ultra_fast_sigmoid(x), expected, rtol=1e-12)
