"""Options of attention layers against Keras: axes, gates, windows and outputs of several axes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import layers
from portanet.backends import Backend
from tests.oracles.slopes import same_as_keras
from tests.support import asarray, assert_close

keras = pytest.importorskip("keras")

RNG = np.random.default_rng(0)
CASES: dict[str, tuple[dict[str, Any], tuple[int, ...], tuple[int, ...]]] = {
    "all axes of images": ({}, (2, 2, 3, 4), (2, 3, 2, 4)),
    "one axis": ({"attention_axes": 2}, (2, 2, 3, 4), (2, 2, 5, 4)),
    "another, from the end": ({"attention_axes": [-3]}, (2, 2, 3, 4), (2, 4, 3, 4)),
    "two of three": ({"attention_axes": (1, 3), "use_bias": False}, (1, 2, 3, 2, 4), (1, 3, 3, 2, 4)),
    "outputs of several axes": ({"output_shape": (3, 2)}, (2, 3, 4), (2, 5, 4)),
    "gate": ({"use_gate": True, "value_dim": 3}, (2, 3, 4), (2, 5, 4)),
    "gate and axis": ({"use_gate": True, "attention_axes": (1,), "output_shape": 3}, (2, 2, 3, 4), (2, 2, 3, 4)),
    "window": ({"sliding_window": 2}, (2, 4, 3), (2, 6, 3)),
}


@pytest.mark.parametrize("name", CASES)
def test_multi_head_attention(name: str) -> None:
    options, query, value = CASES[name]
    ours, theirs = (module.MultiHeadAttention(2, 3, dtype="float64", **options) for module in (layers, keras.layers))
    same_as_keras(ours, theirs, [RNG.normal(size=query), RNG.normal(size=value)])


@pytest.mark.parametrize("options", [{"use_gate": True}, {"sliding_window": 1, "use_bias": False}])
def test_group_query_attention(options: dict[str, Any]) -> None:
    ours, theirs = (
        module.GroupQueryAttention(3, 4, 2, dtype="float64", **options) for module in (layers, keras.layers)
    )
    same_as_keras(ours, theirs, [RNG.normal(size=(2, 3, 4)), RNG.normal(size=(2, 5, 4))])


def test_masks_and_weights_over_axes(backend: Backend) -> None:
    x = RNG.normal(size=(2, 2, 3, 4))
    mask = RNG.random((2, 3, 3)) < 0.7
    mask[:, :, 0] = True
    ours, theirs = (
        module.MultiHeadAttention(2, 3, attention_axes=2, dtype="float64") for module in (layers, keras.layers)
    )
    same_as_keras(ours, theirs, [x, x], attention_mask=mask)
    weights, expected = (
        layer(asarray(x, "float64"), asarray(x, "float64"), return_attention_scores=True)[1]
        if layer is ours
        else layer(x, x, return_attention_scores=True)[1].detach().numpy()
        for layer in (ours, theirs)
    )
    assert_close(weights, expected, rtol=1e-4, atol=1e-6, dtype="float64")
