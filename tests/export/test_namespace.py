"""Functions of ndonnx's namespace that are ours, on constants, which ndonnx computes at once: against NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

ndonnx = pytest.importorskip("ndonnx", reason="extra `onnx`")
pytest.importorskip("onnxruntime", reason="it computes constants")

X = np.random.default_rng(0).normal(size=(2, 3, 3))
SIGNS = np.asarray([[[0, 0], [0, 1]], [[0, 0], [1, 1]]])
PLACES = np.asarray([[[2, 0, 1], [0, 0, 2], [1, 1, 1]], [[0, 1, 2], [2, 2, 0], [1, 0, 0]]])


@pytest.mark.parametrize("options", [{}, {"axis": 0}, {"axis": (0, -1)}, {"axis": 1, "keepdims": True}, {"axis": ()}])
@pytest.mark.parametrize("name", ["max", "min", "any", "all"])
def test_reductions(name: str, options: dict[str, Any]) -> None:
    x = X if name in ("max", "min") else SIGNS
    compare(name, (x,), options, getattr(np, name)(x, **options))


@pytest.mark.parametrize("dtype", ["int32", "int64", "uint8"])
def test_indices_of_every_integer_dtype(dtype: str) -> None:
    compare("take", (X, np.asarray([2, 0], dtype)), {"axis": 1}, X[:, [2, 0]])
    compare("take", (X[0, 0], np.asarray([2, 0], dtype)), {}, X[0, 0, [2, 0]])
    places = PLACES.astype(dtype)
    for options, axis in (({}, -1), ({"axis": 1}, 1), ({"axis": -1}, -1)):
        compare("take_along_axis", (X, places), options, np.take_along_axis(X, PLACES, axis))


@pytest.mark.parametrize("dtypes", [("float32", "float32"), ("float32", "float64"), ("int32", "int64")])
def test_products(dtypes: tuple[str, str]) -> None:
    a, b = (np.round(4 * x).astype(dtype) for x, dtype in zip(X, dtypes, strict=True))
    compare("matmul", (a, b), {}, a @ b)


def compare(name: str, arrays: tuple[Any, ...], options: dict[str, Any], expected: Any) -> None:
    from portanet.backends.ndonnx import namespace

    out = getattr(namespace, name)(*map(ndonnx.asarray, arrays), **options).unwrap_numpy()
    assert out.dtype == expected.dtype
    np.testing.assert_array_equal(out, expected)
