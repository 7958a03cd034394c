"""Results that share memory with an operand in one library and not in another: as the library itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import TraceError, array_namespace, grad, lift, value_and_grad, vmap
from portanet.backends import Backend
from tests.autodiff.test_views import has_views
from tests.support import asarray, to_numpy

CALLS: dict[str, Callable[[Any, Any], Any]] = {
    "broadcast_arrays": lambda xp, z: xp.broadcast_arrays(z, z)[1],
    "clip": lambda xp, z: xp.clip(z),
    "concat": lambda xp, z: xp.concat([z]),
    "cumulative_sum": lambda xp, z: xp.cumulative_sum(z[:, :1], axis=1),
    "diff": lambda xp, z: xp.diff(z, n=0),
    "from_dlpack": lambda xp, z: xp.from_dlpack(z),
    "linalg.matrix_power of 0": lambda xp, z: xp.linalg.matrix_power(z, 0),
    "linalg.matrix_power": lambda xp, z: xp.linalg.matrix_power(z, 1),
    "linalg.matrix_transpose": lambda xp, z: xp.linalg.matrix_transpose(z),
    "max": lambda xp, z: xp.max(z, axis=()),
    "meshgrid": lambda xp, z: xp.meshgrid(z[0, :], z[0, :])[0],
    "meshgrid of one": lambda xp, z: xp.meshgrid(z[0, :])[0],
    "repeat": lambda xp, z: xp.repeat(z, 1, axis=0),
    "roll": lambda xp, z: xp.roll(z, 0),
    "sort": lambda xp, z: xp.sort(z),
    "sum": lambda xp, z: xp.sum(z, axis=()),
    "take": lambda xp, z: xp.take(z, xp.asarray([0, 1], device=z.device), axis=0),
    "tile": lambda xp, z: xp.tile(z, (1, 1)),
    "to_device": lambda xp, z: z.to_device(z.device) if hasattr(z, "to_device") else z.to(z.device),
    "tril": lambda xp, z: xp.tril(z, k=5),
    "unstack": lambda xp, z: xp.unstack(z)[0],
    "where": lambda xp, z: xp.where(z == z, z, z),
}


@pytest.mark.parametrize("name", CALLS)
def test_a_result_sees_later_writes_where_the_library_s_does(backend: Backend, name: str) -> None:
    if not has_views(backend):
        pytest.skip("has no views")

    def f(x: Any) -> Any:
        xp = array_namespace(x)
        z = xp.asarray(x, copy=True)
        out = CALLS[name](xp, z)
        z += x * x
        return xp.sum(out**3) + xp.sum(z)

    point = np.asarray([[1.0, 2.0], [3.0, 5.0]])
    steps = 1e-5 * np.eye(4).reshape(4, 2, 2)
    value = lambda x: float(to_numpy(f(asarray(x, "float64"))))
    slopes = np.asarray([(value(point + e) - value(point - e)) / 2e-5 for e in steps]).reshape(2, 2)
    x = asarray(point, "float64")
    np.testing.assert_allclose(to_numpy(grad(f)(x)), slopes, rtol=1e-6, err_msg=name)
    np.testing.assert_allclose(to_numpy(vmap(grad(f))(x[None, ...]))[0], slopes, rtol=1e-6, err_msg=f"{name} in vmap")


def later_write_to_the_operand(out: Any, z: Any) -> None:
    z += 1.0


def write_to_the_result(out: Any, z: Any) -> None:
    out += 1.0


@pytest.mark.parametrize("write", [later_write_to_the_operand, write_to_the_result])
def test_values_are_those_without_derivatives_or_an_error(backend: Backend, write: Callable[[Any, Any], None]) -> None:
    """Also where the library has no views, and returns its operand all the same."""
    wrong = {}
    for name, call in CALLS.items():

        def f(x: Any, call: Callable[[Any, Any], Any] = call) -> Any:
            xp = array_namespace(x)
            z = xp.asarray(x, copy=True)
            out = call(xp, z)
            write(out, z)
            return xp.sum(out * out) + xp.sum(z * z * z)

        x = asarray([[1.0, 2.0], [3.0, 5.0]], "float64")
        try:
            expected = float(to_numpy(f(x)))
        except (RuntimeError, TypeError, ValueError, AttributeError):  # refused there
            continue
        try:
            value = float(to_numpy(value_and_grad(f)(x)[0]))
        except TraceError:
            continue
        if value != pytest.approx(expected):
            wrong[name] = value, expected
    assert not wrong


def test_integers_that_a_library_returns_as_they_are(backend: Backend) -> None:
    """array-api-strict, when it rounds them."""
    rounds_in_place = np.lib.NumpyVersion(np.__version__) < "2.4.0"  # which array-api-strict puts into another object
    for name in ("floor", "ceil", "trunc", *([] if rounds_in_place else ["round"])):
        seen = []
        for traced in (False, True):
            x = asarray([1, 2, 3], "int32")
            x = lift(x) if traced else x
            xp = array_namespace(x)
            z = xp.asarray(x, copy=True)
            out = getattr(xp, name)(z)
            z += 5
            seen.append(to_numpy(out._value if traced else out).tolist())
        assert seen[0] == seen[1], name
