"""Weights from PyTorch and Keras models: the same results with the same weights, whatever the layout."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.saving import load_keras_weights, load_torch_state_dict

os.environ.setdefault("KERAS_BACKEND", "torch")
torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")
nn, K = torch.nn, keras.layers


def channels_first(function: Any) -> Any:
    """A PyTorch convolution on channels-last arrays."""
    return lambda module, x: function(module, x.movedim(-1, 1)).movedim(1, -1)


plain = lambda module, x: module(x)
image = channels_first(plain)
sequence = lambda module, x: module(x)[0]
themselves = lambda module, x: module(x, x, x)[0]

MODULES: dict[str, tuple[Any, Any, tuple[int, ...], Any]] = {
    "Linear": (lambda: nn.Linear(3, 4), lambda: layers.Dense(4), (2, 3), plain),
    "Linear without bias": (
        lambda: nn.Linear(3, 4, bias=False), lambda: layers.Dense(4, use_bias=False), (2, 3), plain
    ),
    "Conv1d": (lambda: nn.Conv1d(3, 4, 2), lambda: layers.Conv1D(4, 2), (2, 6, 3), image),
    "Conv2d": (
        lambda: nn.Conv2d(4, 6, (2, 3), groups=2), lambda: layers.Conv2D(6, (2, 3), groups=2), (2, 6, 5, 4), image
    ),
    "Conv3d": (lambda: nn.Conv3d(2, 3, 2), lambda: layers.Conv3D(3, 2), (2, 4, 3, 5, 2), image),
    "depthwise": (
        lambda: nn.Conv2d(3, 6, 2, groups=3), lambda: layers.DepthwiseConv2D(2, depth_multiplier=2), (2, 5, 5, 3), image
    ),
    "separable": (
        lambda: nn.Sequential(nn.Conv2d(3, 6, 2, groups=3, bias=False), nn.Conv2d(6, 4, 1)),
        lambda: layers.SeparableConv2D(4, 2, depth_multiplier=2), (2, 5, 5, 3), image,
    ),
    "ConvTranspose1d": (
        lambda: nn.ConvTranspose1d(3, 4, 3, stride=2), lambda: layers.Conv1DTranspose(4, 3, strides=2), (2, 4, 3), image
    ),
    "ConvTranspose2d": (lambda: nn.ConvTranspose2d(3, 4, 2), lambda: layers.Conv2DTranspose(4, 2), (2, 4, 4, 3), image),
    "BatchNorm": (lambda: nn.BatchNorm1d(3, eps=1e-3), layers.BatchNormalization, (4, 3), plain),
    "LayerNorm": (lambda: nn.LayerNorm(3, eps=1e-3), layers.LayerNormalization, (4, 3), plain),
    "GroupNorm": (lambda: nn.GroupNorm(2, 4, eps=1e-3), lambda: layers.GroupNormalization(2), (2, 5, 4), image),
    "RMSNorm": (lambda: nn.RMSNorm(3, eps=1e-6), layers.RMSNormalization, (4, 3), plain),
    "RNN": (
        lambda: nn.RNN(3, 4, batch_first=True), lambda: layers.SimpleRNN(4, return_sequences=True), (2, 5, 3), sequence
    ),
    "LSTM": (
        lambda: nn.LSTM(3, 4, batch_first=True), lambda: layers.LSTM(4, return_sequences=True), (2, 5, 3), sequence
    ),
    "LSTM with projection": (
        lambda: nn.LSTM(3, 4, proj_size=2, batch_first=True),
        lambda: layers.LSTM(4, projection_units=2, return_sequences=True), (2, 5, 3), sequence,
    ),
    "GRU": (lambda: nn.GRU(3, 4, batch_first=True), lambda: layers.GRU(4, return_sequences=True), (2, 5, 3), sequence),
    "GRU without bias": (
        lambda: nn.GRU(3, 4, bias=False, batch_first=True),
        lambda: layers.GRU(4, use_bias=False, return_sequences=True), (2, 5, 3), sequence,
    ),
    "bidirectional": (
        lambda: nn.GRU(3, 4, bidirectional=True, batch_first=True),
        lambda: layers.Bidirectional(layers.GRU(4, return_sequences=True)), (2, 5, 3), sequence,
    ),
    "two recurrent layers": (
        lambda: nn.LSTM(3, 4, num_layers=2, batch_first=True),
        lambda: portanet.Sequential([layers.LSTM(4, return_sequences=True), layers.LSTM(4, return_sequences=True)]),
        (2, 5, 3), sequence,
    ),
}  # fmt: skip


def randomized(module: Any) -> Any:
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, tensor in module.state_dict().items():
            if tensor.is_floating_point():
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + (0.5 if "var" in name else -0.5))
    return module.eval()


@pytest.mark.filterwarnings("ignore:LSTM with projections")
@pytest.mark.parametrize("kind", MODULES)
def test_modules_of_torch(kind: str) -> None:
    theirs, ours, shape, run = MODULES[kind]
    module, layer = randomized(theirs()), ours()
    x = np.random.default_rng(2).normal(size=shape).astype("float32")
    layer.build(shape)
    load_torch_state_dict(layer, module.state_dict())
    with torch.no_grad():
        expected = run(module, torch.tensor(x)).numpy()
    np.testing.assert_allclose(layer(x), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("sizes", [{}, {"kdim": 6, "vdim": 6}])
def test_attention_of_torch(sizes: dict[str, int]) -> None:
    module = randomized(nn.MultiheadAttention(8, 2, batch_first=True, **sizes))
    layer = layers.MultiHeadAttention(2, 4)
    rng = np.random.default_rng(2)
    query, value = (rng.normal(size=(2, 5, n)).astype("float32") for n in (8, sizes.get("kdim", 8)))
    layer.build([query.shape, value.shape])
    load_torch_state_dict(layer, module.state_dict())
    with torch.no_grad():
        expected = module(torch.tensor(query), torch.tensor(value), torch.tensor(value))[0].numpy()
    np.testing.assert_allclose(layer([query, value]), expected, rtol=1e-4, atol=1e-5)


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(11, 6)
        self.reader = nn.LSTM(6, 5, batch_first=True, bidirectional=True)
        self.norm = nn.LayerNorm(10, eps=1e-3)
        self.head = nn.Sequential(nn.Linear(10, 7), nn.ReLU(), nn.Linear(7, 3))

    def forward(self, x: Any) -> Any:
        return self.head(self.norm(self.reader(self.words(x))[0]).mean(1))


def network(seed: int = 0) -> portanet.Sequential:
    portanet.random.set_seed(seed)
    return portanet.Sequential(
        [
            layers.Input((4,)),
            layers.Embedding(11, 6),
            layers.Bidirectional(layers.LSTM(5, return_sequences=True)),
            layers.LayerNormalization(),
            layers.GlobalAveragePooling1D(),
            layers.Dense(7, "relu"),
            layers.Dropout(0.5),
            layers.Dense(3),
        ]
    )


WORDS = np.random.default_rng(0).integers(0, 11, (3, 4)).astype("int32")


def test_a_network_of_torch_in_order_by_names_and_from_a_file(backend: Any, tmp_path: Any) -> None:
    module = randomized(Network())
    with torch.no_grad():
        expected = module(torch.tensor(WORDS)).numpy()
    pytest.importorskip("safetensors.torch").save_file(module.state_dict(), tmp_path / "m.safetensors")
    names = {"embedding": "words", "bidirectional": "reader.l0", "layer_normalization": "norm"}
    names |= {"dense": "head.0", "dense_1": "head.2"}
    for source, mapping in ((module.state_dict(), None), (tmp_path / "m.safetensors", names)):
        model = network()
        load_torch_state_dict(model, source, mapping)
        np.testing.assert_allclose(model.predict(WORDS), expected, rtol=1e-4, atol=1e-5)
    model, before = network(1), network(1).get_weights()
    load_torch_state_dict(model, module.state_dict(), {"dense_1": "head.2"})
    changed = [not np.array_equal(a, b) for a, b in zip(model.get_weights(), before, strict=True)]
    assert changed == [False] * (len(before) - 2) + [True, True]


def test_what_does_not_fit_is_listed_and_nothing_changes() -> None:
    model, state = network(), randomized(Network()).state_dict()
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"do not match one to one; pass a mapping.*\['words', 'reader.l0'"):
        load_torch_state_dict(model, {**state, "more.weight": state["norm.weight"]})
    with pytest.raises(
        ValueError, match=r"(?s)layer 'dense': no module 'x'.*layer 'y': not among layers.*'dense_1/kernel': exp"
    ):
        load_torch_state_dict(model, state, {"dense": "x", "y": "norm", "dense_1": "head.0"})
    gru = portanet.Sequential([layers.Input((4, 6)), layers.GRU(5, reset_after=False)])
    with pytest.raises(ValueError, match="resets after the product; create the layer with reset_after=True"):
        load_torch_state_dict(gru, nn.GRU(6, 5).state_dict())
    for ours, theirs in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(ours, theirs)


def both(make: Any) -> Any:
    return make(portanet.Sequential, layers), make(keras.Sequential, K)


def convolutional(sequential: Any, L: Any) -> Any:
    return sequential(
        [
            L.Input((8, 3)),
            L.Bidirectional(L.LSTM(4, return_sequences=True)),
            L.GRU(5, return_sequences=True),
            L.GRU(3, return_sequences=True, reset_after=False),
            L.SimpleRNN(4, return_sequences=True),
            L.BatchNormalization(),
            L.Conv1D(6, 2),
            L.DepthwiseConv1D(2, depth_multiplier=2),
            L.SeparableConv1D(4, 2),
            L.Conv1DTranspose(3, 2),
            L.LayerNormalization(),
            L.Dropout(0.2),
            L.Flatten(),
            L.Dense(4, use_bias=False),
            L.Dense(2),
        ]
    )


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_models_of_keras() -> None:
    ours, theirs = both(convolutional)
    rng = np.random.default_rng(3)
    theirs.set_weights([rng.uniform(0.1, 0.6, w.shape) for w in theirs.weights])
    weights = {w.path: w.value.detach().numpy() for w in theirs.weights}
    load_keras_weights(ours, weights)
    x = rng.normal(size=(2, 8, 3)).astype("float32")
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x, verbose=0), rtol=1e-4, atol=1e-5)
    part = convolutional(portanet.Sequential, layers)
    load_keras_weights(part, weights, {"dense_1": theirs.layers[-1].path, "gru": theirs.layers[1].path})
    np.testing.assert_array_equal(part.layers[-1].get_weights()[0], weights[theirs.layers[-1].weights[0].path])
    np.testing.assert_array_equal(part.layers[1].get_weights()[2], weights[theirs.layers[1].weights[2].path])
    with pytest.raises(ValueError, match=r"the model has \d+ weights, and 2 are given(.|\n)*dense_\d+/bias"):
        load_keras_weights(ours, dict(list(weights.items())[-2:]))


def test_attention_of_keras() -> None:
    x = np.random.default_rng(4).normal(size=(2, 5, 8)).astype("float32")
    layer, reference = layers.MultiHeadAttention(2, 4), K.MultiHeadAttention(2, 4)
    expected = reference(x, x)
    layer.build([x.shape, x.shape])
    load_keras_weights(layer, {w.path: w.value.detach().numpy() for w in reference.weights})
    np.testing.assert_allclose(layer([x, x]), expected.detach().numpy(), rtol=1e-4, atol=1e-5)
