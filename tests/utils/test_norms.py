from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet.backends import Backend
from portanet.utils import normalize
from tests.support import assert_close, to_numpy


@pytest.mark.parametrize("order", [1, 2, 3, float("inf")])
@pytest.mark.parametrize("axis", [0, -1])
def test_norms(backend: Backend, order: float, axis: int) -> None:
    host = np.random.default_rng(0).normal(size=(4, 5)).astype("float32")
    x = portanet.asarray(host)
    expected = host / np.linalg.norm(host, order, axis, keepdims=True)
    assert_close(normalize(x, axis, order), expected)
    np.testing.assert_array_equal(to_numpy(x), host)


def test_extremes(backend: Backend) -> None:
    x = portanet.asarray([[3e30, 4e30], [3e-30, 4e-30], [0.0, 0.0]])
    assert_close(normalize(x), [[0.6, 0.8], [0.6, 0.8], [0.0, 0.0]])


def test_integers_and_bad_input() -> None:
    np.testing.assert_allclose(normalize([[3, 4]]), [[0.6, 0.8]], rtol=1e-6)
    with pytest.raises(ValueError, match=r"`order`.*Received: order=0"):
        normalize([[1.0]], order=0)
