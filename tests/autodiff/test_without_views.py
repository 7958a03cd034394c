"""Writes in libraries without views: what would share memory elsewhere is undefined, and an error when it is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import TraceError, array_namespace, grad
from portanet.backends import Backend
from tests.autodiff.test_views import POINT, has_views
from tests.support import asarray, assert_close


def test_in_place_operators(backend: Backend, xp: Any) -> None:
    """Libraries without views: the result is defined, and items that are updated; what shared the memory is not."""
    if has_views(backend):
        pytest.skip("has views")

    def item(x: Any) -> Any:
        z = x * 1.0
        z[0, :] += 10.0
        z[1, 0] *= 3.0
        return array_namespace(x).sum(z * z)

    def row_alone(x: Any) -> Any:
        row = (x * 1.0)[0, :]
        row += 10.0
        return array_namespace(x).sum(row * row)

    def written(x: Any) -> Any:
        z = x * 1.0
        row = z[0, :]
        row += 10.0
        return array_namespace(x).sum(z)

    def moved_elsewhere(x: Any) -> Any:
        z = x * 1.0
        row = z[0, :]
        row += 10.0
        z[1, :] = row
        return array_namespace(x).sum(z)

    def older_view(x: Any) -> Any:
        z = x * 1.0
        row = z[0, :]
        z += 10.0
        return array_namespace(x).sum(row)

    scaled = 2 * POINT
    scaled[0] += 20.0
    want = scaled.copy()
    want[1, 0] *= 9.0
    assert_close(grad(item)(asarray(POINT)), want, rtol=1e-4)
    want = np.zeros_like(POINT)
    want[0] = scaled[0]
    assert_close(grad(row_alone)(asarray(POINT)), want, rtol=1e-4)
    for f in (written, moved_elsewhere, older_view):
        with pytest.raises(TraceError, match=r"test_without_views\.py:\d+ wrote to an array that shares memory"):
            grad(f)(asarray(POINT))


def test_undefined_arrays_cannot_be_read(backend: Backend, xp: Any) -> None:
    if has_views(backend):
        pytest.skip("has views")
    uses: list[Callable[[Any], Any]] = [
        bool, float, lambda z: z + 1.0, lambda z: 1.0 + z, lambda z: -z, lambda z: z * z, lambda z: z == 1.0,
        lambda z: array_namespace(z).sum(z), lambda z: array_namespace(z).stack([z]), lambda z: z[...],
        lambda z: array_namespace(z).isfinite(z), lambda z: z,
    ]  # fmt: skip
    for use in uses:

        def f(x: Any, use: Callable[[Any], Any] = use) -> Any:
            z = x[:1, 0] * 2.0
            view = z[0, ...]
            z[0] = 1.0
            return use(view)

        with pytest.raises(TraceError, match=r"test_without_views\.py:\d+ wrote to an array that shares memory"):
            grad(f)(asarray(POINT))


def test_unused_views_do_no_harm(backend: Backend, xp: Any) -> None:
    """Libraries without views: what nobody reads later need not be defined."""

    def f(x: Any) -> Any:
        xp = array_namespace(x)
        z = x * x
        rows = xp.unstack(z)
        rows[0][0] = 2.0
        rows[1][0] = 3.0
        return xp.sum(rows[0] * rows[1] * rows[2])

    want = np.zeros_like(POINT)
    for i in range(3):
        others = np.prod(np.delete(POINT**2, i, axis=0), axis=0)
        want[i] = 2 * POINT[i] * others
    want[:, 0] = [0.0, 0.0, 2 * POINT[2, 0] * 6.0]
    assert_close(grad(f)(asarray(POINT)), want, rtol=1e-4)
