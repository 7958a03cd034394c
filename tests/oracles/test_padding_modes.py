"""Convolutions that continue their input beyond its ends, against modules of PyTorch with their weights loaded."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, ops
from portanet.backends import Backend
from portanet.saving import load_torch_state_dict
from tests.layers.matrix import check_layer
from tests.oracles.compare import compare, drawn

torch = pytest.importorskip("torch")

MODES = ["reflect", "replicate", "circular"]


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("mode", MODES)
def test_convolutions(mode: str, rank: int, groups: int) -> None:
    padding, kernel, space = (2, 1, 3)[:rank], (3, 2, 4)[:rank], (5, 4, 6)[:rank]
    module = getattr(torch.nn, f"Conv{rank}d")(
        2, 4, kernel, stride=2, padding=padding, groups=groups, padding_mode=mode, dtype=torch.float64
    )
    explicit = tuple((p, p) for p in padding)
    layer = getattr(layers, f"Conv{rank}D")(4, kernel, 2, explicit, groups=groups, padding_mode=mode)
    weight, bias = module.weight.detach().movedim((0, 1), (-1, -2)), module.bias.detach()

    def theirs(x: Any, weights: Any) -> Any:
        named = {"weight": weights[0].movedim((-1, -2), (0, 1)), "bias": weights[1]}
        return torch.func.functional_call(module, named, (x[0].movedim(-1, 1),)).movedim(1, -1)

    compare(layer, theirs, drawn((2, *space, 2)), [weight.numpy(), bias.numpy()], "float64")


@pytest.mark.parametrize("mode", MODES)
def test_depthwise_convolutions_and_loaded_weights(mode: str) -> None:
    modules = torch.nn.Sequential(
        torch.nn.Conv2d(3, 6, 3, padding=1, groups=3, padding_mode=mode),
        torch.nn.Conv2d(6, 2, 3, padding="same", padding_mode=mode),
    )
    model = portanet.Sequential(
        [
            layers.Input((5, 6, 3)),
            layers.DepthwiseConv2D(3, padding=1, depth_multiplier=2, padding_mode=mode),
            layers.Conv2D(2, 3, padding="same", padding_mode=mode),
        ]
    )
    load_torch_state_dict(model, modules.state_dict())
    (x,) = drawn((2, 5, 6, 3))
    expected = modules(torch.tensor(x, dtype=torch.float32).movedim(-1, 1)).movedim(1, -1).detach().numpy()
    np.testing.assert_allclose(model.predict(x.astype("float32")), expected, rtol=1e-5, atol=1e-6)
    again = portanet.Sequential.from_config(model.get_config())
    assert [layer.padding_mode for layer in again.layers] == [mode, mode]


@pytest.mark.parametrize("module", ["ReflectionPad", "ReplicationPad", "CircularPad"])
def test_modules_that_pad(module: str) -> None:
    """`ops.pad` in a graph does what these modules do."""
    mode = {"ReflectionPad": "reflect", "ReplicationPad": "edge", "CircularPad": "wrap"}[module]
    inputs = layers.Input((4, 5, 2))
    model = portanet.Model(inputs, ops.pad(inputs, ((0, 0), (1, 2), (3, 1), (0, 0)), mode=mode))
    (x,) = drawn((2, 4, 5, 2))
    expected = getattr(torch.nn, f"{module}2d")((3, 1, 1, 2))(torch.tensor(x).movedim(-1, 1)).movedim(1, -1)
    np.testing.assert_allclose(model.predict(x), expected, rtol=1e-6)


@pytest.mark.parametrize("mode", MODES)
def test_on_every_backend(backend: Backend, mode: str) -> None:
    check_layer(lambda: layers.Conv2D(2, 3, padding=1, padding_mode=mode), (2, 4, 3, 2), (2, 4, 3, 2))


@pytest.mark.parametrize("make", [layers.LocallyConnected1D, lambda *a, **o: layers.TiledConv1D(*a, tiles=2, **o)])
def test_kernels_that_are_not_shared(make: Any) -> None:
    layer, plain = make(2, 3, padding=2, padding_mode="circular"), make(2, 3)
    (x,) = drawn((2, 5, 3))
    out = layer(x)
    extended = np.concatenate([x[:, -2:], x, x[:, :2]], axis=1)
    plain.build(extended.shape)
    plain.set_weights(layer.get_weights())
    np.testing.assert_allclose(out, plain(extended), rtol=1e-6)


def test_messages() -> None:
    with pytest.raises(ValueError, match=r"must be one of 'zeros'. Received: padding_mode='reflect'"):
        layers.Conv2DTranspose(2, 3, padding_mode="reflect")
    with pytest.raises(ValueError, match="'zeros', 'reflect', 'replicate', 'circular'"):
        layers.Conv2D(2, 3, padding_mode="mirror")
    with pytest.raises(
        ValueError, match=r"pads its input\. An axis of 2 elements is too short for 2 more by 'reflect'"
    ):
        layers.Conv1D(2, 3, padding=2, padding_mode="reflect")(np.ones((1, 2, 1)))
    with pytest.raises(ValueError, match="False where padding='same', which rounds up"):
        layers.MaxPooling2D(padding="same", ceil_mode=True)
