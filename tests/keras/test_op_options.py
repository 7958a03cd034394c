"""Options of the functions of portanet.ops against `keras.ops`: values, dtypes and gradients, on NumPy alone."""

from __future__ import annotations

import inspect

import pytest

pytest.importorskip("torch")
pytest.importorskip("keras")

import keras
import numpy as np
import torch

from portanet import ops
from portanet.backends import use_backend
from tests.keras.test_ops import DTYPES, convert, gradients, has_gradient, leaves, of_keras, ours
from tests.ops.cases import OPTIONS


def test_defaults() -> None:
    for room, theirs in ((ops, keras.ops), (ops.image, keras.ops.image)):
        for name in room.__all__:
            if inspect.isfunction(getattr(room, name)) and hasattr(theirs, name):
                expected = inspect.signature(getattr(theirs, name)).parameters
                for p in inspect.signature(getattr(room, name)).parameters.values():
                    assert p.name not in expected or p.default == expected[p.name].default, f"{name}, {p.name}"


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("name", OPTIONS)
def test_options(name: str) -> None:
    for case in OPTIONS[name]:
        with use_backend("numpy"):
            actual = list(leaves(ours(name)(*case.args, **case.kwargs)))
            expected = list(leaves(of_keras(name, convert(case, torch.from_numpy))))
            for a, b in zip(actual, expected, strict=True):
                assert a.shape == b.shape
                np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6, err_msg=str(case))
            narrow = convert(case, lambda x: x.astype("float32") if x.dtype == "float64" else x)
            dtypes = [x.dtype for x in leaves(of_keras(name, convert(narrow, torch.from_numpy)))]
            assert name in DTYPES or [x.dtype for x in leaves(ours(name)(*narrow.args, **narrow.kwargs))] == dtypes, (
                case
            )
            if has_gradient(name, case):
                for a, b in zip(*gradients(name, case), strict=True):
                    np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5, err_msg=str(case))
