"""Models on ONNX and Dask arrays answer as they do here; `tests/export` has every layer."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from tests.gallery.pages import load


def test_a_file_answers_the_same() -> None:
    for name in ("ndonnx", "onnx", "onnxruntime"):
        pytest.importorskip(name)
    page = load("beyond/onnx_and_dask")
    with portanet.use_backend("numpy"):
        model, x, y = page.trained(epochs=20)
        answers, size = page.by_onnx(model, x)
        np.testing.assert_allclose(answers, model.predict(x, verbose=0), atol=1e-5)
    assert 500 < size < 10_000
    assert np.mean((answers > 0.5) == y) > 0.8


def test_blocks_answer_the_same() -> None:
    pytest.importorskip("dask")
    page = load("beyond/onnx_and_dask")
    with portanet.use_backend("numpy"):
        model, x, _ = page.trained(epochs=1)
        answers, blocks = page.by_dask(model, x, rows=3_000_000)
        np.testing.assert_allclose(answers, model.predict(x, verbose=0), rtol=1e-6)
    assert blocks == 4


def test_what_is_missing_is_named() -> None:
    assert load("beyond/onnx_and_dask").missing("numpy", "no_such_library") == ["no_such_library"]
