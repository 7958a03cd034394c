"""Operators, indices and functions of symbolic arrays against Keras: shapes, dtypes, values, kinds of operations."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, ops
from tests.models.operations import CASES, drawn

keras = pytest.importorskip("keras")
REFUSED = {
    "constants on the left",
    "a matrix on the left",
    "comparisons",
    "an index of integers",
    "an unknown part of the shape",
}
"""Keras refuses NumPy arrays on the left of operators and as indices, and None as a size."""


def flat(tree: Any) -> list[Any]:
    return list(tree) if isinstance(tree, (list, tuple)) else [tree]


@pytest.mark.parametrize("case", [case for case in CASES if case not in REFUSED])
def test_graphs_are_those_of_keras(case: str, backend: Any) -> None:
    shapes, function = CASES[case]
    inputs, theirs = [layers.Input(s) for s in shapes], [keras.Input(s) for s in shapes]
    outputs, their_outputs = function(ops, *inputs), function(keras.ops, *theirs)
    for ours, other in zip(flat(outputs), flat(their_outputs), strict=True):
        assert (ours.shape, ours.dtype) == (tuple(other.shape), other.dtype)
    model, other_model = portanet.Model(inputs, outputs), keras.Model(theirs, their_outputs)
    data = drawn(shapes)
    expected = flat(other_model(data))
    for ours, other in zip(flat(model([portanet.asarray(x) for x in data])), expected, strict=True):
        np.testing.assert_allclose(portanet.to_host(ours), other.detach().numpy(), rtol=2e-5, atol=1e-6)
    if backend.name == "numpy":
        kinds = [type(operation).__name__ for operation in other_model.operations]
        assert sorted(operation._kind for operation in model.operations) == sorted(kinds)
