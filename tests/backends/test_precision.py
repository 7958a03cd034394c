"""`set_float32_matmul_precision` reaches every library, those that are used later, too."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import portanet
from portanet.backends import Backend, make_backend
from tests.backends.cupy_standin import in_place_of_cupy
from tests.support import asarray, to_numpy


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(Backend, "float32_matmul_precision", "")
    torch, jax = sys.modules.get("torch"), sys.modules.get("jax")
    if torch is not None:
        chosen = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    if jax is not None:
        precision = jax.config.jax_default_matmul_precision
    yield
    if torch is not None:
        torch.set_float32_matmul_precision(chosen[0])
        torch.backends.cudnn.allow_tf32 = chosen[1]
    if jax is not None:
        jax.config.update("jax_default_matmul_precision", precision)


def of_library(backend: Backend) -> Any:
    """The setting of the library; None where it has none."""
    if backend.name == "torch":
        import torch

        assert torch.backends.cudnn.allow_tf32 == (torch.get_float32_matmul_precision() == "high")
        return torch.get_float32_matmul_precision()
    if backend.name == "jax":
        import jax

        return jax.config.jax_default_matmul_precision
    return None


def test_the_precision_of_products(backend: Backend) -> None:
    assert portanet.get_float32_matmul_precision() == "highest"
    x = np.random.default_rng(1).standard_normal((20, 30)).astype("float32")
    for precision in ("high", "highest"):
        portanet.set_float32_matmul_precision(precision)
        assert portanet.get_float32_matmul_precision() == precision
        assert of_library(backend) in (precision, None)
        product = to_numpy(backend.xp.matmul(asarray(x), asarray(x.T)))
        rtol = 5e-3 if precision == "high" else 1e-5
        np.testing.assert_allclose(product, x.astype("float64") @ x.T, rtol=rtol, atol=rtol * 10)


def test_libraries_that_are_used_later(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(type(backend), "use_float32_matmul_precision", seen.append)
    make_backend(backend.name, backend.device)
    assert seen == ([] if backend.device_name.startswith("cpu") else ["highest"]), "as they are on CPUs"
    seen.clear()
    monkeypatch.setattr(Backend, "float32_matmul_precision", "high")
    make_backend(backend.name, backend.device)
    assert seen == ["high"]


def test_cupy() -> None:
    with in_place_of_cupy() as cupy:
        from nvmath.bindings import cublas

        x = cupy.ones((2, 2), dtype="float32")
        xp = make_backend("cupy").xp
        for precision, calls in (("highest", []), ("high", [77]), ("highest", [77])):
            portanet.set_float32_matmul_precision(precision)
            assert xp.matmul(x, x)[0, 0] == 2
            assert cublas.calls == calls


@pytest.mark.parametrize("value", ["medium", "tf32", None, 1, ["high"]])
def test_other_values(value: Any) -> None:
    message = r"`precision` of set_float32_matmul_precision must be one of 'highest', 'high'. Received: precision="
    with pytest.raises(ValueError, match=message):
        portanet.set_float32_matmul_precision(value)
    assert portanet.get_float32_matmul_precision() == "highest"
