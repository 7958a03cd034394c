"""Graphs with operations as ONNX files."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

import portanet
from portanet import layers, ops
from tests.models.operations import CASES, drawn

pytest.importorskip("ndonnx", reason="extra `onnx`")
runtime = pytest.importorskip("onnxruntime", reason="it runs what is exported")
NOT_STANDARD = {"of linear algebra": "ONNX has no inverse"}


@pytest.mark.parametrize("case", [case for case in CASES if case not in NOT_STANDARD])
def test_exported_operations_give_the_same(case: str, tmp_path: pathlib.Path) -> None:
    shapes, function = CASES[case]
    inputs = [layers.Input(shape, name=f"x{i}") for i, shape in enumerate(shapes)]
    model = portanet.Model(inputs, function(ops, *inputs))
    model.export(tmp_path / "m.onnx")
    data = drawn(shapes, 4)
    results = runtime.InferenceSession(tmp_path / "m.onnx").run(None, {f"x{i}": x for i, x in enumerate(data)})
    expected = model(data)
    for one, other in zip(results, expected if isinstance(expected, list) else [expected], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)
