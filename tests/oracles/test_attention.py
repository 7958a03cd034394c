"""Attention against Keras and PyTorch with the same weights: values and gradients, over lengths and masks."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from portanet import layers
from portanet.autodiff import array_namespace, value_and_grad
from portanet.backends import Array, Backend
from portanet.fused.attention import dot_product_attention
from portanet.fused.attention_blocks import attention_in_blocks
from portanet.variables import bind
from tests.support import asarray, assert_close

os.environ.setdefault("KERAS_BACKEND", "torch")
torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")

Host = np.ndarray[Any, Any]


def compare_op(data: Any) -> None:
    """The ops against PyTorch's scaled_dot_product_attention."""
    batch, heads, times, places, size, width = (data.draw(st.integers(1, n)) for n in (2, 2, 7, 7, 4, 4))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    arrays = [rng.normal(size=(batch, heads, n, m)) for n, m in ((times, size), (places, size), (places, width))]
    factor, mask, causal = rng.normal(size=(batch, heads, times, width)), None, data.draw(st.booleans())
    if data.draw(st.booleans()):
        shape = data.draw(st.sampled_from([(batch, heads, times, places), (batch, 1, 1, places), (times, places)]))
        mask = rng.random(shape) < 0.7
        mask[..., 0] = True  # every row has a position to attend to
    block = data.draw(st.integers(0, 8))

    tensors = [torch.tensor(a, requires_grad=True) for a in arrays]
    seen = np.tril(np.ones((times, places), dtype=bool)) if causal else np.ones((times, places), dtype=bool)
    shown = np.broadcast_to(seen if mask is None else seen & mask, (batch, heads, times, places))
    expected = torch.nn.functional.scaled_dot_product_attention(*tensors, attn_mask=torch.tensor(shown), scale=0.7)
    (expected * torch.tensor(factor)).sum().backward()

    def total(query: Array, key: Array, value: Array) -> Any:
        given = None if mask is None else asarray(mask)
        if block:
            out, _ = attention_in_blocks(query, key, value, scale=0.7, mask=given, causal=causal, block=block)
        else:
            out = dot_product_attention(query, key, value, 0.7, given, causal)
        return array_namespace(out).sum(out * asarray(factor, "float64")), out

    (_, out), slopes = value_and_grad(total, (0, 1, 2), has_aux=True)(*(asarray(a, "float64") for a in arrays))
    assert_close(out, expected.detach().numpy(), dtype="float64")
    for slope, tensor in zip(slopes, tensors, strict=True):
        assert_close(slope, tensor.grad.numpy(), rtol=1e-8, atol=1e-10, dtype="float64")


@given(data=st.data())
@settings(max_examples=60)
def test_ops_against_torch(data: Any) -> None:
    compare_op(data)


@given(data=st.data())
@settings(max_examples=4)
def test_ops_against_torch_on_every_backend(backend: Backend, data: Any) -> None:
    compare_op(data)


def slopes(layer: Any, inputs: list[Host], factor: Host, **options: Any) -> tuple[Any, Any, Any]:
    """The result, and the gradients of sum(result * factor) by the inputs and by the weights."""
    weights = layer.trainable_weights

    def total(x: list[Array], values: list[Array]) -> Any:
        with bind(dict(zip(weights, values, strict=True))):
            out = layer(x, **options)
        return array_namespace(out).sum(out * asarray(factor, "float64")), out

    point = ([asarray(x, "float64") for x in inputs], [w.value for w in weights])
    (_, out), (by_x, by_weights) = value_and_grad(total, (0, 1), has_aux=True)(*point)
    return out, by_x, by_weights


LAYERS: dict[str, tuple[Any, Any, bool]] = {
    "MultiHeadAttention": (
        lambda **o: layers.MultiHeadAttention(2, 3, value_dim=4, output_shape=5, **o),
        lambda **o: keras.layers.MultiHeadAttention(2, 3, value_dim=4, output_shape=5, **o),
        False,
    ),
    "MultiHeadAttention without bias": (
        lambda **o: layers.MultiHeadAttention(3, 2, use_bias=False, **o),
        lambda **o: keras.layers.MultiHeadAttention(3, 2, use_bias=False, **o),
        False,
    ),
    "GroupQueryAttention": (
        lambda **o: layers.GroupQueryAttention(3, 4, 2, **o),
        lambda **o: keras.layers.GroupQueryAttention(3, 4, 2, **o),
        False,
    ),
    "Attention": (
        lambda **o: layers.Attention(use_scale=True, **o),
        lambda **o: keras.layers.Attention(use_scale=True, **o),
        True,
    ),
    "Attention concat": (
        lambda **o: layers.Attention(score_mode="concat", **o),
        lambda **o: keras.layers.Attention(score_mode="concat", **o),
        True,
    ),
    "AdditiveAttention": (
        lambda **o: layers.AdditiveAttention(**o),
        lambda **o: keras.layers.AdditiveAttention(**o),
        True,
    ),
}


def compare_layer(kind: str, data: Any) -> None:
    make, make_theirs, listed = LAYERS[kind]
    batch, times, places = (data.draw(st.integers(1, n)) for n in (3, 6, 6))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    inputs = [rng.normal(size=(batch, n, 4)) for n in (times, places, places)]
    causal = data.draw(st.booleans())
    lengths = np.asarray(data.draw(st.lists(st.integers(1, places), min_size=batch, max_size=batch)))
    mask = np.arange(places) < lengths[:, None]
    ours, theirs = make(dtype="float64"), make_theirs(dtype="float64")
    ours.build([x.shape for x in inputs])
    tensors = [torch.tensor(x, requires_grad=True) for x in inputs]
    options: dict[str, Any] = {"use_causal_mask": causal}
    if listed:
        call = lambda: theirs(tensors, mask=[None, torch.tensor(mask), None], **options)
    else:
        query, value, key = tensors
        call = lambda: theirs(query, value, key=key, value_mask=torch.tensor(mask), **options)
    call()
    drawn = [rng.normal(size=w.shape) * 0.7 for w in ours.trainable_weights]
    ours.set_weights(drawn)
    by_name = {
        w.path.split("/", 1)[-1].replace("attention_output", "output").replace("/", "_"): w for w in theirs.weights
    }
    for variable, host in zip(ours.trainable_weights, drawn, strict=True):
        by_name[variable.name].assign(host)
    expected = call()
    factor = rng.normal(size=expected.shape)
    (expected * torch.tensor(factor)).sum().backward()
    out, by_x, by_weights = slopes(ours, inputs, factor, mask=[None, asarray(mask)], **options)
    # Keras's matmul on PyTorch computes in float32, whatever the dtype of its operands.
    assert_close(out, expected.detach().numpy(), rtol=1e-4, atol=1e-5, dtype="float64")
    for slope, tensor in zip(by_x, tensors, strict=True):
        assert_close(slope, tensor.grad.numpy(), rtol=1e-4, atol=1e-5, dtype="float64")
    for slope, variable in zip(by_weights, ours.trainable_weights, strict=True):
        theirs_slope = by_name[variable.name].value.grad
        assert_close(slope, theirs_slope.numpy(), rtol=1e-4, atol=1e-5, dtype="float64")


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")
@pytest.mark.parametrize("kind", LAYERS)
@given(data=st.data())
@settings(max_examples=10)
def test_layers_against_keras(kind: str, data: Any) -> None:
    compare_layer(kind, data)


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis")
@pytest.mark.parametrize("kind", ["MultiHeadAttention", "AdditiveAttention"])
@given(data=st.data())
@settings(max_examples=2)
def test_layers_against_keras_on_every_backend(kind: str, backend: Backend, data: Any) -> None:
    compare_layer(kind, data)


def test_multi_head_attention_against_torch(backend: Backend) -> None:
    rng = np.random.default_rng(0)
    x, padding = rng.normal(size=(3, 5, 6)), np.arange(5) < np.asarray([[5], [2], [4]])
    ours = layers.MultiHeadAttention(2, 3, dtype="float64")
    ours.build(x.shape)
    drawn = [rng.normal(size=w.shape) for w in ours.trainable_weights]
    ours.set_weights(drawn)
    module = torch.nn.MultiheadAttention(6, 2, batch_first=True).double()
    kernels = [w.reshape(6, 6).T for w in drawn[0:6:2]]
    module.in_proj_weight.data.copy_(torch.tensor(np.concatenate(kernels)))
    module.in_proj_bias.data.copy_(torch.tensor(np.concatenate([b.ravel() for b in drawn[1:6:2]])))
    module.out_proj.weight.data.copy_(torch.tensor(drawn[6].reshape(6, 6).T))
    module.out_proj.bias.data.copy_(torch.tensor(drawn[7]))
    tensor = torch.tensor(x, requires_grad=True)
    expected, _ = module(tensor, tensor, tensor, key_padding_mask=torch.tensor(~padding), need_weights=False)
    expected = expected * torch.tensor(padding[..., None])
    (expected**2).sum().backward()

    def total(x: Array) -> Any:
        out = ours(x, mask=asarray(padding))
        out = out * asarray(padding[..., None], "float64")
        return array_namespace(out).sum(out * out), out

    (_, out), slope = value_and_grad(total, has_aux=True)(asarray(x, "float64"))
    assert_close(out, expected.detach().numpy(), rtol=1e-6, atol=1e-8, dtype="float64")
    # Ours returns zeros for masked queries, which does not affect the other results.
    assert_close(slope, tensor.grad.numpy(), rtol=1e-6, atol=1e-8, dtype="float64")
