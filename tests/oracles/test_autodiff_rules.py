"""The gradient of every case of the rules against those of JAX and PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, vjp
from portanet.backends import use_backend
from tests.autodiff.cases import CASES, Case

BEYOND_JAX = {
    "nextafter": "has derivative 0 there",
    "sign-complex": "has derivative 0 there",
    "acosh-complex": "has the other sign in half of the plane, against differences",
    "linalg.eig": "has no derivative of eigenvectors there",
    "permute_dims-axes=(-1, 0, 1)": "takes no negative axes",
    "linalg.pinv-complex": "has a rule for real matrices",
    "to_device": "is a method here",
    "from_dlpack": "takes no tracer",
    "arange": "takes no tracer",
    "getitem-mask": "has a shape that depends on values",
    "unique_all": "has a shape that depends on values",
    "unique_counts": "has a shape that depends on values",
    "unique_inverse": "has a shape that depends on values",
    "unique_values": "has a shape that depends on values",
}
BEYOND_TORCH = {
    "nextafter": "has no derivative there",
    "getitem-negative steps": "are not there",
    "unique_all": "is not there",
    "unique_counts": "has no derivative there",
    "unique_inverse": "has no derivative there",
    "unique_values": "has no derivative there",
    "where-complex": "mixes no real and complex derivatives",
    "linspace": "loses the derivative there",
    "arange": "takes numbers only",
    "full": "takes numbers only",
    "full_like": "takes numbers only",
    "from_dlpack": "exports no tensor with a gradient",
    "to_device": "is a method here",
}


def as_list(out: Any) -> list[Any]:
    return list(out) if isinstance(out, (tuple, list)) else [out]


def ours(case: Case) -> tuple[list[np.ndarray], list[np.ndarray], list[np.ndarray]]:
    """The results, random cotangents for them, and the gradients."""
    with use_backend("numpy"):
        out, pullback = vjp(lambda *xs: as_list(case.call(array_namespace(*xs), *xs)), *case.arguments())
        rng = np.random.default_rng(7)
        drawn = [np.asarray(rng.normal(size=x.shape) + 1j * rng.normal(size=x.shape)) for x in out]
        weights = [np.asarray(w if np.iscomplexobj(x) else w.real) for w, x in zip(drawn, out, strict=True)]
        return out, weights, list(pullback(weights))


def assert_same(result: Any, expected: list[np.ndarray]) -> None:
    for f, e in zip(result, expected, strict=True):
        np.testing.assert_allclose(np.asarray(f), e, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_jax(case: Case) -> None:
    jax = pytest.importorskip("jax")
    for name, reason in BEYOND_JAX.items():
        if name in (str(case), case.function):
            pytest.skip(f"{name} {reason}")
    out, weights, expected = ours(case)

    @jax.jit
    def both(xs: Any, ws: Any) -> Any:
        values, pullback = jax.vjp(lambda *xs: as_list(case.call(jax.numpy, *xs)), *xs)
        return values, pullback(ws)

    values, grads = both(list(map(jax.numpy.asarray, case.arguments())), list(map(jax.numpy.asarray, weights)))
    assert_same(values, out)
    assert_same(grads, expected)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_torch(case: Case) -> None:
    torch = pytest.importorskip("torch")
    import array_api_compat.torch as xp

    for name, reason in BEYOND_TORCH.items():
        if name in (str(case), case.function):
            pytest.skip(f"{name} {reason}")
    out, weights, expected = ours(case)
    primals = [torch.tensor(x, requires_grad=True) for x in case.arguments()]
    values = as_list(case.call(xp, *primals))
    assert_same([v.detach().resolve_conj() for v in values], out)
    # PyTorch's gradient of a complex argument is the conjugate.
    grads = torch.autograd.grad(values, primals, [torch.tensor(np.conj(w)) for w in weights], allow_unused=True)
    assert_same([np.zeros(1) if g is None else np.conj(g.resolve_conj().numpy()) for g in grads], expected)
