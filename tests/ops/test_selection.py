"""Keeping some elements."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet.autodiff import array_namespace, check_grads
from portanet.backends import Backend, use_backend
from portanet.ops.selection import keep
from tests.support import assert_equal


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_keep_is_where(backend: Backend, dtype: str) -> None:
    x = np.asarray([[1.5, -2.0, np.inf], [np.nan, -0.0, 3.0]])
    mask = np.asarray([[True, False, False], [False, True, True]])
    expected = np.asarray([[1.5, 0.0, 0.0], [0.0, 0.0, 3.0]])
    assert_equal(keep(portanet.asarray(mask), portanet.asarray(x, dtype=dtype)), expected, dtype=dtype)


def test_masks_broadcast_and_views_are_taken(backend: Backend) -> None:
    x = portanet.asarray(np.arange(24.0).reshape(2, 3, 4))
    mask = portanet.asarray(np.asarray([True, False, True]))
    turned = backend.xp.permute_dims(x, (2, 0, 1))
    expected = np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1) * [1.0, 0.0, 1.0]
    assert_equal(keep(mask, turned), expected.astype("float32"))


def test_derivatives(backend: Backend) -> None:
    with use_backend(backend.name, backend.device, "float64"):
        mask = portanet.asarray(np.asarray([True, False, True]))
        check_grads(lambda x: keep(array_namespace(x).asarray(mask), x) ** 2, (portanet.asarray(np.arange(3.0)),))
