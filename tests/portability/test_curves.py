"""The loss of 50 steps is the same on every backend."""

from __future__ import annotations

import functools

import pytest

from portanet.backends import Backend, use_backend
from tests.portability.curves import MODELS, curve, deviation
from tests.portability.run import TOLERANCE


@functools.cache
def numpys(name: str) -> tuple[float, ...]:
    with use_backend("numpy"):
        return tuple(curve(name))


@pytest.mark.parametrize("name", MODELS)
def test_loss_curves_agree(backend: Backend, name: str) -> None:
    result = curve(name)
    assert result[-1] < 0.85 * result[0], "it should learn"
    assert deviation(result, numpys(name)) < TOLERANCE
