"""Half precision on CuPy, with a stand-in: float16 is there; bfloat16 is refused, with the backends that have it."""

from __future__ import annotations

import sys
import types
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import use_backend
from tests.backends.cupy_standin import in_place_of_cupy

REFUSED = r"Backend 'cupy' has no such dtype\. Backends torch, jax and mlx have it\..*Received: dtype='bfloat16'"


def test_float16_is_there_and_bfloat16_is_refused() -> None:
    with in_place_of_cupy():
        from portanet.backends.cupy.backend import CupyBackend

        with use_backend(CupyBackend()) as backend:
            assert portanet.asarray([1.5], dtype="float16").dtype == backend.find_dtype("float16") == np.float16
            with pytest.raises(ValueError, match=REFUSED):
                portanet.asarray([1.5], dtype="bfloat16")
            with pytest.raises(ValueError, match=REFUSED):
                layers.Dense(2, dtype="mixed_bfloat16")(portanet.asarray(np.ones((2, 3), dtype="float32")))
        with pytest.raises(ValueError, match=REFUSED):
            CupyBackend(dtype="bfloat16")


@pytest.mark.parametrize(
    ("dtype", "computed"), [("float16", "float32"), ("float32", "float32"), ("float64", "float64")]
)
def test_special_functions_keep_the_dtype(dtype: str, computed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """CuPy itself gives float64 for float16."""
    given = []

    def erf(x: Any) -> Any:
        given.append(x.dtype)
        return x + x

    special = types.SimpleNamespace(erf=erf)
    scipy = types.SimpleNamespace(special=special)
    modules = {"cupyx": types.SimpleNamespace(scipy=scipy), "cupyx.scipy": scipy, "cupyx.scipy.special": special}
    with in_place_of_cupy() as cupy:
        for name, module in modules.items():
            monkeypatch.setitem(sys.modules, name, module)
        from portanet.backends.cupy.special import OVERRIDES

        result = OVERRIDES["erf"](cupy.asarray(np.asarray([-0.5, 2.0], dtype=dtype)))
        assert given == [computed]
        assert result.dtype == dtype
        np.testing.assert_array_equal(result.get(), [-1.0, 4.0])
