"""ConvLSTM layers against Keras's with the same weights: values, gradients, masks, states and orders."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import layers
from portanet.backends import Backend
from tests.oracles.slopes import same_as_keras

keras = pytest.importorskip("keras")
torch = pytest.importorskip("torch")

CASES: dict[str, tuple[str, dict[str, Any], tuple[int, ...]]] = {
    "1D": ("ConvLSTM1D", {"kernel_size": 3}, (2, 3, 6, 2)),
    "2D": ("ConvLSTM2D", {"kernel_size": (2, 3), "padding": "same", "return_sequences": True}, (2, 3, 4, 5, 2)),
    "2D, strides": ("ConvLSTM2D", {"kernel_size": 2, "strides": (2, 1), "use_bias": False}, (2, 3, 5, 4, 1)),
    "2D, dilation": ("ConvLSTM2D", {"kernel_size": 2, "dilation_rate": 2, "go_backwards": True}, (2, 3, 5, 4, 1)),
    "2D, channels first": (
        "ConvLSTM2D",
        {"kernel_size": 2, "data_format": "channels_first", "return_sequences": True, "recurrent_activation": "tanh"},
        (2, 3, 2, 5, 4),
    ),
    "3D": ("ConvLSTM3D", {"kernel_size": 2, "activation": "relu"}, (1, 2, 3, 3, 3, 1)),
}
MASK = np.asarray([[True, False, True], [False, True, True]])


def layers_of(kind: str, options: dict[str, Any]) -> tuple[Any, Any]:
    return tuple(getattr(L, kind)(2, dtype="float64", **options) for L in (layers, keras.layers))  # type: ignore[return-value]


@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients(name: str, backend: Backend) -> None:
    if backend.name == "jax" and name != "2D":
        pytest.skip("slow to compile")
    kind, options, shape = CASES[name]
    same_as_keras(*layers_of(kind, options), np.random.default_rng(1).normal(size=shape))


@pytest.mark.parametrize(
    "options", [{}, {"return_sequences": True}, {"zero_output_for_mask": True, "return_sequences": True}]
)
def test_masks(options: dict[str, Any]) -> None:
    x = np.random.default_rng(1).normal(size=(2, 3, 4, 3, 2))
    same_as_keras(*layers_of("ConvLSTM2D", {"kernel_size": 2, **options}), x, mask=MASK)


@pytest.mark.parametrize("first", [False, True])
def test_states(first: bool) -> None:
    form = "channels_first" if first else "channels_last"
    options = {"kernel_size": 2, "return_state": True, "stateful": True, "data_format": form}
    ours, theirs = (L.ConvLSTM2D(2, **options) for L in (layers, keras.layers))
    x = np.random.default_rng(1).normal(size=(2, 3, 4, 4, 4)).astype("float32")
    for layer in (ours, theirs):
        layer.build(x.shape)
    theirs.set_weights([w.numpy() for w in ours.trainable_weights])
    given = [s + 0.5 for s in np.zeros((2, 2, *((2, 3, 3) if first else (3, 3, 2))), dtype="float32")]
    for keywords in ({}, {}, {"initial_state": given}, {}):
        for a, b in zip(ours(x, **keywords), theirs(x, **keywords), strict=True):
            np.testing.assert_allclose(a, b.detach().numpy(), rtol=1e-4, atol=1e-5)
    for layer in (ours, theirs):
        layer.reset_state()
    np.testing.assert_allclose(ours(x)[0], theirs(x)[0].detach().numpy(), rtol=1e-4, atol=1e-5)


def test_both_directions() -> None:
    x = np.random.default_rng(1).normal(size=(2, 3, 4, 3, 2)).astype("float32")
    ours, theirs = (L.Bidirectional(L.ConvLSTM2D(2, 2, return_sequences=True)) for L in (layers, keras.layers))
    for layer in (ours, theirs):
        layer.build(x.shape)
    theirs.set_weights(ours.get_weights())
    np.testing.assert_allclose(ours(x), theirs(x).detach().numpy(), rtol=1e-4, atol=1e-5)
