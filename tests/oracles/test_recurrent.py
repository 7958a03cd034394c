"""Recurrent layers against Keras and PyTorch with the same weights: values and gradients, over lengths and masks."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portanet import layers
from portanet.autodiff import array_namespace, value_and_grad
from portanet.backends import Array, Backend, get_backend
from tests.oracles.slopes import compare, keras_slopes, random_weights, slopes
from tests.support import asarray, assert_close, to_numpy

os.environ.setdefault("KERAS_BACKEND", "torch")
torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")

KINDS: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    "SimpleRNN": (layers.SimpleRNN, keras.layers.SimpleRNN, {}),
    "SimpleRNN relu": (layers.SimpleRNN, keras.layers.SimpleRNN, {"activation": "relu"}),
    "LSTM": (layers.LSTM, keras.layers.LSTM, {}),
    "LSTM without bias": (layers.LSTM, keras.layers.LSTM, {"use_bias": False}),
    "LSTM hard": (layers.LSTM, keras.layers.LSTM, {"recurrent_activation": "hard_sigmoid"}),
    "GRU": (layers.GRU, keras.layers.GRU, {}),
    "GRU reset before": (layers.GRU, keras.layers.GRU, {"reset_after": False}),
    "GRU softsign": (layers.GRU, keras.layers.GRU, {"activation": "softsign"}),
}


def against_keras(kind: str, data: Any) -> None:
    ours, theirs, options = KINDS[kind]
    batch, time, features, units = (data.draw(st.integers(1, n)) for n in (3, 6, 3, 4))
    options = options | {
        "return_sequences": data.draw(st.booleans()),
        "go_backwards": data.draw(st.booleans()),
        "dtype": "float64",
    }
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x = rng.normal(size=(batch, time, features))
    mask = None
    if data.draw(st.booleans()):  # with gaps, and examples without any unmasked step
        mask = rng.random((batch, time)) < data.draw(st.sampled_from([0.0, 0.5, 0.8, 1.0]))
    layer, reference = ours(units, **options), theirs(units, **options)
    layer.build(x.shape)
    reference.build(x.shape)
    reference.set_weights(random_weights(layer, rng))
    factor = rng.normal(size=layer.compute_output_shape(x.shape))
    expected = keras_slopes(reference, x, factor, mask=None if mask is None else torch.tensor(mask))
    compare(slopes(layer, x, factor, mask=None if mask is None else asarray(mask)), expected)


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
@settings(max_examples=12)
def test_against_keras(kind: str, data: Any) -> None:
    against_keras(kind, data)


@pytest.mark.parametrize("kind", ["SimpleRNN", "LSTM", "GRU", "GRU reset before"])
@given(data=st.data())
@settings(max_examples=3)
def test_against_keras_on_every_backend(kind: str, backend: Backend, data: Any) -> None:
    against_keras(kind, data)


def to_torch(kind: str, weights: list[np.ndarray[Any, Any]], features: int, units: int, size: int | None = None) -> Any:
    """PyTorch's module with our weights: its kernels are transposed, its GRU has the gates in the order r, z."""
    module = getattr(torch.nn, kind)(
        features, units, batch_first=True, **({"proj_size": size} if size else {})
    ).double()
    if kind == "GRU":
        swap = lambda w: np.concatenate([w[..., units : 2 * units], w[..., :units], w[..., 2 * units :]], axis=-1)
        weights = [swap(w) for w in weights]
    kernel, recurrent, bias = weights[:3]
    biases = bias if bias.ndim == 2 else np.stack([bias, np.zeros_like(bias)])
    for name, value in zip(
        ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0", "weight_hr_l0"),
        (kernel.T, recurrent.T, *biases, *(w.T for w in weights[3:])),
        strict=False,
    ):
        getattr(module, name).data.copy_(torch.tensor(value))
    return module


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
@given(data=st.data())
@settings(max_examples=15)
def test_lengths_and_initial_states_against_torch(kind: str, data: Any) -> None:
    batch, time, features, units = (data.draw(st.integers(1, n)) for n in (4, 6, 3, 4))
    lengths = data.draw(st.lists(st.integers(1, time), min_size=batch, max_size=batch))
    size = data.draw(st.sampled_from([None, 2])) if kind == "LSTM" and units > 2 else None
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    x = rng.normal(size=(batch, time, features))
    mask = np.arange(time) < np.asarray(lengths)[:, None]
    options = {"projection_units": size} if size else {}
    layer = getattr(layers, {"RNN": "SimpleRNN"}.get(kind, kind))(
        units, return_sequences=True, return_state=True, dtype="float64", zero_output_for_mask=True, **options
    )
    layer.build(x.shape)
    module = to_torch(kind, random_weights(layer, rng), features, units, size)
    states = [rng.normal(size=(batch, n)) for n in layer.state_size]
    factors = [rng.normal(size=shape) for shape in layer.compute_output_shape(x.shape)]

    def total(x: Array, states: list[Array]) -> Any:
        outs = layer(x, mask=asarray(mask), initial_state=states)
        return sum(array_namespace(o).sum(o * asarray(f, "float64")) for o, f in zip(outs, factors, strict=True)), outs

    point = (asarray(np.where(mask[..., None], x, np.nan), "float64"), [asarray(s, "float64") for s in states])
    (_, outs), (by_x, by_states) = value_and_grad(total, (0, 1), has_aux=True)(*point)

    tx, *ts = (torch.tensor(a, requires_grad=True) for a in (x, *states))
    packed = torch.nn.utils.rnn.pack_padded_sequence(tx, torch.tensor(lengths), batch_first=True, enforce_sorted=False)
    out, last = module(packed, tuple(t[None] for t in ts) if len(ts) > 1 else ts[0][None])
    out, _ = torch.nn.utils.rnn.pad_packed_sequence(out, batch_first=True, total_length=time)
    expected = [out, *(t[0] for t in (last if isinstance(last, tuple) else (last,)))]
    sum((o * torch.tensor(f)).sum() for o, f in zip(expected, factors, strict=True)).backward()

    for o, e in zip(outs, expected, strict=True):
        assert_close(o, e.detach().numpy(), rtol=1e-6, atol=1e-8, dtype="float64")
    for g, t in zip((by_x, *by_states), (tx, *ts), strict=True):
        assert_close(g, t.grad.numpy(), rtol=1e-6, atol=1e-8, dtype="float64")
    assert np.all(to_numpy(by_x)[~mask] == 0)


@pytest.mark.parametrize("merge_mode", ["concat", "sum", "mul", "ave"])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_bidirectional_against_keras(backend: Backend, merge_mode: str, return_sequences: bool) -> None:
    rng = np.random.default_rng(3)
    x, mask = rng.normal(size=(3, 5, 2)), np.arange(5) < np.asarray([[5], [2], [4]])
    ours, theirs = (
        module.Bidirectional(module.GRU(4, return_sequences=return_sequences, dtype="float64"), merge_mode=merge_mode,
                             dtype="float64")
        for module in (layers, keras.layers)
    )  # fmt: skip
    ours.build(x.shape)
    theirs.build(x.shape)
    theirs.set_weights(random_weights(ours, rng))
    factor = rng.normal(size=ours.compute_output_shape(x.shape))
    expected = keras_slopes(theirs, x, factor, mask=torch.tensor(mask))
    compare(slopes(ours, x, factor, mask=asarray(mask)), expected)


@pytest.mark.parametrize("kind", ["LSTM", "GRU", "SimpleRNN"])
def test_float32_against_keras(kind: str, backend: Backend) -> None:
    rng = np.random.default_rng(5)
    x = rng.normal(size=(4, 12, 3)).astype("float32")
    ours, theirs = getattr(layers, kind)(8), getattr(keras.layers, kind)(8)
    ours.build(x.shape)
    theirs.build(x.shape)
    theirs.set_weights(random_weights(ours, rng))
    out = ours(asarray(x))
    assert get_backend().dtype_name(out.dtype) == "float32"
    assert_close(out, theirs(torch.tensor(x)).detach().numpy(), rtol=1e-4, atol=1e-5)
