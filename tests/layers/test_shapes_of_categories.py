"""Layers that encode categories: results have the declared shapes, in every mode, for inputs of every shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from portanet import layers

MODES = ("int", "one_hot", "multi_hot", "count", "tf_idf")
WEIGHTS = {"tf_idf": [0.5, 1.5, 2.5]}
MAKERS: dict[str, tuple[Callable[[str], Any], tuple[str, ...]]] = {
    "CategoryEncoding": (lambda mode: layers.CategoryEncoding(4, mode), MODES[1:4]),
    "Discretization": (lambda mode: layers.Discretization([1.0, 2.0, 3.0], output_mode=mode), MODES[:4]),
    "Hashing": (lambda mode: layers.Hashing(4, output_mode=mode), MODES[:4]),
    "HashedCrossing": (lambda mode: layers.HashedCrossing(4, output_mode=mode), MODES[:2]),
    "IntegerLookup": (
        lambda mode: layers.IntegerLookup(vocabulary=[1, 2, 3], output_mode=mode, idf_weights=WEIGHTS.get(mode)),
        MODES,
    ),
    "StringLookup": (
        lambda mode: layers.StringLookup(vocabulary=["1", "2", "3"], output_mode=mode, idf_weights=WEIGHTS.get(mode)),
        MODES,
    ),
    "padded StringLookup": (
        lambda mode: layers.StringLookup(9, vocabulary=["1"], output_mode=mode, pad_to_max_tokens=True),
        MODES[1:4],
    ),
    "TextVectorization": (
        lambda mode: layers.TextVectorization(
            vocabulary=["1", "2", "3"], output_mode=mode, idf_weights=WEIGHTS.get(mode), split=None
        ),
        ("int", "multi_hot", "count", "tf_idf"),
    ),
}
STRINGS = ("StringLookup", "padded StringLookup", "TextVectorization")


@pytest.mark.parametrize("shape", [(3,), (3, 1), (3, 2), (1, 1), (2, 3, 1), (2, 3, 2)])
@pytest.mark.parametrize("name", MAKERS)
def test_shapes(name: str, shape: tuple[int, ...]) -> None:
    make, modes = MAKERS[name]
    if len(shape) > 2 and name in ("HashedCrossing", "TextVectorization"):
        return  # which take no more axes
    if name == "HashedCrossing" and shape == (3, 2):
        return
    x = (np.arange(np.prod(shape)) % 4).reshape(shape)
    x = x.astype(str) if name in STRINGS else x
    several = name == "HashedCrossing"
    for mode in modes:
        layer = make(mode)
        result = layer([x, x] if several else x)
        declared = tuple(layer.compute_output_shape([shape, shape] if several else shape))
        assert len(declared) == result.ndim, mode
        assert all(n in (m, None) for n, m in zip(declared, result.shape, strict=True)), mode
