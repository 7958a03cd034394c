"""Functions of elements, where MLX's own are other than the standard's."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

import portanet
from portanet.backends import Backend, available_backends
from tests.support import assert_equal, to_numpy

pytestmark = pytest.mark.skipif(available_backends()["mlx"] is not None, reason=str(available_backends()["mlx"]))


@pytest.fixture
def mlx() -> Iterator[Backend]:
    with portanet.use_backend("mlx", "cpu") as backend:
        yield backend


@pytest.mark.parametrize(
    ("function", "x", "expected"),
    [
        ("expm1", 0j, 0j),
        ("expm1", complex(1, 2), np.exp(1 + 2j) - 1),
        ("expm1", complex(100, 0), complex(np.inf, 0)),
        ("expm1", complex(-np.inf, np.inf), -1),
        ("expm1", complex(np.inf, np.nan), complex(np.inf, np.nan)),
        ("sign", 0j, 0j),
        ("sign", complex(3, 4), complex(0.6, 0.8)),
        ("sign", complex(1, np.nan), complex(np.nan, np.nan)),
        ("tanh", complex(1, 2), np.tanh(1 + 2j)),
        ("tanh", complex(100, 1), 1),
        ("tanh", complex(-np.inf, 1), -1),
    ],
)
def test_functions_of_complex_numbers(mlx: Backend, function: str, x: complex, expected: complex) -> None:
    result = getattr(mlx.xp, function)(mlx.from_host(np.asarray([x], "complex64")))
    np.testing.assert_allclose(to_numpy(result), np.asarray([expected], "complex64"), rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int32"])
def test_remainders(mlx: Backend, dtype: str) -> None:
    """A 0 has the sign of the divisor."""
    numbers = [1, -1, 2, -2, 6, -6] if dtype == "int32" else [0.0, -0.0, 1, -1, 2, -2, 5.5, -6, np.inf, -np.inf, np.nan]
    host = [np.ascontiguousarray(x).astype(dtype) for x in np.meshgrid(numbers, numbers)]
    with np.errstate(invalid="ignore"):
        expected = np.remainder(*host)
    x, y = map(mlx.from_host, host)
    written = mlx.from_host(host[0])
    same = written
    same %= y
    for result in (mlx.xp.remainder(x, y), x % y, written):
        assert_equal(result, expected, dtype=dtype)
        if dtype != "int32":
            numeric = ~np.isnan(expected)
            np.testing.assert_array_equal(np.signbit(to_numpy(result))[numeric], np.signbit(expected)[numeric])
    assert_equal(5 % x[:1, 2:4], np.remainder(5, host[0][:1, 2:4]), dtype=dtype)
