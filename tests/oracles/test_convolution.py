"""Convolutions against PyTorch (over a grid of shapes and options) and Keras, same weights: values and gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import portanet
from portanet import layers
from portanet.autodiff import array_namespace, value_and_grad
from portanet.backends import Backend, use_backend
from portanet.fused.convolution import conv_nd
from tests.oracles.compare import TOLERANCE, compare, drawn
from tests.support import to_numpy

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")
F = torch.nn.functional
K = keras.layers


@st.composite
def cases(draw: st.DrawFn) -> tuple[Any, ...]:
    rank = draw(st.integers(1, 3))
    size = draw(st.tuples(*[st.integers(1, 4)] * rank))
    strides, dilation = draw(st.tuples(*[st.integers(1, 3)] * rank)), draw(st.tuples(*[st.integers(1, 3)] * rank))
    padding = draw(st.tuples(*[st.tuples(st.integers(0, 3), st.integers(0, 3))] * rank))
    space = tuple(
        max(1, (k - 1) * d + 1 - sum(p) + draw(st.integers(0, 6)))
        for k, d, p in zip(size, dilation, padding, strict=True)
    )
    groups = draw(st.integers(1, 3))
    inputs, filters = draw(st.integers(1, 3)), draw(st.integers(1, 3))
    return (draw(st.integers(1, 3)), *space, groups * inputs), (*size, inputs, groups * filters), strides, padding, (
        dilation, groups, draw(st.booleans())
    )  # fmt: skip


@settings(max_examples=12)
@given(case=cases())
def test_values_and_gradients_are_those_of_torch(backend: Backend, case: tuple[Any, ...]) -> None:
    shape, size, strides, padding, (dilation, groups, biased) = case
    rank = len(strides)
    x, k, b = drawn(shape, size, size[-1:])
    with torch.enable_grad():
        tensors = [torch.tensor(a, requires_grad=True) for a in (x, k, b)]
        flat = [n for pair in reversed(padding) for n in pair]
        expected = getattr(F, f"conv{rank}d")(
            F.pad(tensors[0].movedim(-1, 1), flat),
            tensors[1].permute(rank + 1, rank, *range(rank)),
            tensors[2] if biased else None,
            stride=strides,
            dilation=dilation,
            groups=groups,
        ).movedim(1, -1)
        g = np.random.default_rng(1).standard_normal(expected.shape)
        (expected * torch.tensor(g)).sum().backward()
    with use_backend(backend.name, backend.device, "float64"):
        factors = portanet.asarray(g)

        def total(x: Any, k: Any, b: Any) -> Any:
            y = conv_nd(x, k, b if biased else None, strides, padding, dilation, groups)
            xp = array_namespace(y)
            return xp.sum(y * xp.asarray(factors)), y

        (_, y), slopes = value_and_grad(total, (0, 1, 2), has_aux=True)(*(portanet.asarray(a) for a in (x, k, b)))
        np.testing.assert_allclose(to_numpy(y), expected.detach().numpy(), rtol=1e-6, atol=1e-6)
        for ours, theirs in zip(slopes, tensors[: 2 + biased], strict=False):
            np.testing.assert_allclose(to_numpy(ours), theirs.grad.numpy(), rtol=1e-6, atol=1e-6)


def of_keras(layer: Any) -> Callable[..., Any]:
    """A Keras layer as a function of tensors and weights."""

    def call(x: Any, weights: Any) -> Any:
        if not layer.built:
            layer.build(tuple(x[0].shape))
        return layer.stateless_call(weights, [], x[0])[0]

    return call


LAYERS: dict[str, tuple[Any, tuple[int, ...]]] = {
    "Conv1D": (lambda m, **o: m.Conv1D(3, 2, strides=2, padding="same", **o), (2, 7, 2)),
    "Conv1D, causal": (lambda m, **o: m.Conv1D(3, 3, padding="causal", dilation_rate=2, **o), (2, 7, 2)),
    "Conv2D": (lambda m, **o: m.Conv2D(3, (2, 3), activation="tanh", **o), (2, 5, 6, 2)),
    "Conv2D, same": (lambda m, **o: m.Conv2D(3, (3, 4), strides=(2, 3), padding="same", **o), (2, 8, 7, 2)),
    "Conv2D, groups": (lambda m, **o: m.Conv2D(4, 3, groups=2, dilation_rate=(1, 2), **o), (2, 5, 6, 4)),
    "Conv2D, channels first": (lambda m, **o: m.Conv2D(3, 2, data_format="channels_first", **o), (2, 3, 5, 4)),
    "Conv3D": (lambda m, **o: m.Conv3D(2, (2, 1, 3), strides=(1, 2, 1), padding="same", **o), (1, 3, 4, 5, 2)),
    "DepthwiseConv1D": (lambda m, **o: m.DepthwiseConv1D(3, depth_multiplier=2, **o), (2, 6, 3)),
    "DepthwiseConv2D": (lambda m, **o: m.DepthwiseConv2D(3, 2, "same", depth_multiplier=2, **o), (2, 6, 5, 3)),
    "SeparableConv1D": (lambda m, **o: m.SeparableConv1D(4, 3, depth_multiplier=2, **o), (2, 6, 3)),
    "SeparableConv2D": (lambda m, **o: m.SeparableConv2D(4, 3, padding="same", **o), (2, 6, 5, 3)),
    "Conv1DTranspose": (lambda m, **o: m.Conv1DTranspose(3, 3, strides=2, **o), (2, 4, 2)),
    "Conv2DTranspose": (lambda m, **o: m.Conv2DTranspose(3, 3, strides=2, padding="same", **o), (2, 4, 3, 2)),
    "Conv2DTranspose, large": (lambda m, **o: m.Conv2DTranspose(3, 5, strides=2, padding="same", **o), (2, 4, 3, 2)),
    "Conv2DTranspose, small": (lambda m, **o: m.Conv2DTranspose(3, 2, strides=3, **o), (2, 4, 3, 2)),
    "Conv2DTranspose, dilated": (lambda m, **o: m.Conv2DTranspose(3, 2, dilation_rate=2, **o), (2, 4, 3, 2)),
    "Conv3DTranspose": (lambda m, **o: m.Conv3DTranspose(2, 2, strides=(1, 2, 1), **o), (1, 2, 3, 2, 2)),
}


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", LAYERS)
def test_layers_are_those_of_keras(name: str, dtype: str) -> None:
    make, shape = LAYERS[name]
    ours = make(layers)
    twin = make(layers)
    twin.build(shape)
    weights = drawn(*(tuple(w.shape) for w in twin.weights))
    compare(ours, of_keras(make(K, dtype=dtype)), drawn(shape), weights, dtype)


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("strides", [1, 2, 3])
@pytest.mark.parametrize("size", [1, 2, 3, 4, 5])
def test_transposed_convolutions_have_the_sizes_and_places_of_keras(size: int, strides: int, padding: str) -> None:
    for extra in (None, *range(strides)):
        options = {"strides": strides, "padding": padding, "output_padding": extra}
        theirs = K.Conv1DTranspose(2, size, **options)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("warnings.warn", lambda *_, **__: None)
            (x,) = drawn((1, 4, 3))
            expected = theirs(torch.tensor(x, dtype=torch.float32)).detach().numpy()
        if expected.shape[1] == 0:
            continue
        ours = layers.Conv1DTranspose(2, size, **options)
        ours.build(x.shape)
        ours.set_weights([v.value.detach().numpy() for v in theirs.weights])
        np.testing.assert_allclose(ours(x.astype("float32")), expected, rtol=1e-4, atol=1e-4, err_msg=str(options))


def test_locally_connected_layers_are_unfolded_products_of_torch() -> None:
    def two(x: Any, weights: Any) -> Any:
        kernel, bias = weights
        seen = F.unfold(x[0].movedim(-1, 1), (2, 3), stride=(1, 2))  # (batch, channels * places, positions)
        seen = seen.reshape(2, 2, 6, -1).permute(0, 3, 2, 1).reshape(2, seen.shape[-1], 12)
        return torch.einsum("npi,pio->npo", seen, kernel).reshape(2, 4, 3, 3) + bias

    ours = layers.LocallyConnected2D(3, (2, 3), (1, 2))
    compare(ours, two, drawn((2, 5, 7, 2)), drawn((12, 12, 3), (4, 3, 3)), "float64")

    def one(x: Any, weights: Any) -> Any:
        kernel, bias = weights
        return (
            torch.einsum("npci,pio->npo", x[0].unfold(1, 2, 1).permute(0, 1, 3, 2).reshape(2, 5, 1, 4), kernel) + bias
        )

    compare(layers.LocallyConnected1D(3, 2), one, drawn((2, 6, 2)), drawn((5, 4, 3), (5, 3)), "float64")


@pytest.mark.parametrize("rank", [1, 2])
def test_tiled_layers_are_strided_convolutions_of_torch(rank: int) -> None:
    """The positions of every kernel, selected from PyTorch's results for all positions."""
    conv = getattr(F, f"conv{rank}d")

    def theirs(x: Any, weights: Any) -> Any:
        kernels, bias = weights
        every = {
            tile: conv(x[0].movedim(-1, 1), kernels[tile].permute(rank + 1, rank, *range(rank)), bias[tile])
            for tile in np.ndindex(*(2,) * rank)
        }
        out = torch.zeros_like(every[(0,) * rank])
        for tile, y in every.items():
            mask = torch.zeros(y.shape[2:], dtype=y.dtype)
            mask[tuple(slice(t, None, 2) for t in tile)] = 1
            out = out + y * mask
        return out.movedim(1, -1)

    ours = (layers.TiledConv1D, layers.TiledConv2D)[rank - 1](3, 3, tiles=2)
    shape = (2, 8, 7)[: rank + 1]
    weights = drawn((*(2,) * rank, *(3,) * rank, 2, 3), (*(2,) * rank, 3))
    compare(ours, theirs, drawn((*shape, 2)), weights, "float64")
