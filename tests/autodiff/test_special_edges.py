"""Special functions at the edges of their domains against SciPy, and where an argument is NaN."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import special
from portanet.backends import Backend
from tests.autodiff.special_cases import ARGUMENTS, WHOLE, arguments
from tests.autodiff.test_special import ELEMENTS_WITH_EDGES, reference
from tests.support import asarray, to_numpy

EDGES = (0.0, 0.5, 1.0, 2.0, 40.0)
WITH_ALL_EDGES = [
    "cosm1", "ellipk", "ellipkm1", "huber", "loggamma", "radian", "sinc", "zetac", "betainc", "betaincc", "chdtr",
    "gamma", "psi",
]  # fmt: skip
POSITIVE = {
    "chdtri": (0,), "gammaincinv": (0,), "gammainccinv": (0,), "stdtrit": (1,), "beta": (0, 1), "betaln": (0, 1),
    "bdtr": (0,), "bdtrc": (0,), "fdtr": (0, 1), "fdtrc": (0, 1), "nbdtr": (0, 1), "nbdtrc": (0, 1), "poch": (0,),
    "expn": (1,), "gdtr": (0, 1), "gdtrc": (0, 1),
}  # fmt: skip
"""Operands that must not be 0, where a function has no limit or SciPy another convention."""


def compared(name: str, points: list[tuple[float, ...]], rtol: float = 1e-12) -> None:
    hosts = [np.asarray([p[i] for p in points]) for i in range(len(ARGUMENTS[name]))]
    expected = reference(name, hosts)
    with np.errstate(all="ignore"):
        result = to_numpy(getattr(special, name)(*(asarray(x, "float64") for x in hosts)))
    for point, got, want in zip(points, result, expected, strict=True):
        np.testing.assert_allclose(got, want, rtol=rtol, atol=1e-15, err_msg=f"{name}{point}")


@pytest.fixture(autouse=True)
def _quick(backend: Backend) -> None:
    if backend.name == "jax" or "CPU_DEVICE" in str(backend.device):  # array-api-strict has another device
        pytest.skip("the definitions are the same; JAX's own functions are compared in test_special.py")


@pytest.mark.parametrize("name", sorted(set(ARGUMENTS) - set(ELEMENTS_WITH_EDGES)))
def test_edges(backend: Backend, name: str) -> None:
    whole, positive = WHOLE.get(name, ()), POSITIVE.get(name, ())
    points = [
        p
        for p in itertools.product(EDGES, repeat=len(ARGUMENTS[name]))
        if all(p[i] > 0 for i in positive) and all(p[i] != 0.5 for i in whole)
    ]
    compared(name, points)


@pytest.mark.parametrize("name", WITH_ALL_EDGES)
def test_infinite_and_negative_arguments(backend: Backend, name: str) -> None:
    edges = (-np.inf, -40.0, -1.0, -0.5, -0.0, *EDGES, np.inf)
    compared(name, list(itertools.product(edges, repeat=len(ARGUMENTS[name]))))


@pytest.mark.parametrize("name", sorted(ARGUMENTS))
def test_nothing_comes_of_nan(backend: Backend, name: str) -> None:
    """Element i of the result has NaN for operand i, and the last one for none."""
    count = len(ARGUMENTS[name])
    hosts: list[Any] = [np.full(count + 1, x[0]) for x in arguments(name, np.random.default_rng(1), (1,))]
    whole = WHOLE.get(name, ())
    for i, x in enumerate(hosts):
        x[i] = x[i] if i in whole else np.nan
    with np.errstate(all="ignore"):
        result = to_numpy(getattr(special, name)(*(asarray(x, "float64") for x in hosts)))
    np.testing.assert_array_equal(np.isnan(result), [*(i not in whole for i in range(count)), False])
