"""Indices that some libraries do not support, writes that leave nothing of an array, and scalars of NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from portanet.autodiff import array_namespace, grad, lift, unwrap, value_and_grad
from tests.support import asarray, assert_close, to_numpy

NEGATIVE = {
    "all": (slice(None, None, -1), ...),
    "both axes": (slice(None, None, -1), slice(3, 0, -2)),
    "after an ellipsis": (Ellipsis, slice(None, None, -1)),
    "after an integer": (1, slice(None, None, -3)),
    "after a new axis": (None, slice(0, 2), slice(None, None, -1)),
    "before an integer": (slice(None, None, -1), 2),
    "nothing": (slice(0, 2, -1), slice(None)),
}
X = np.arange(1.0, 13.0).reshape(3, 4)


def weights(x, shape):
    return array_namespace(x).asarray(
        np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape), dtype=x.dtype, device=x.device
    )


@pytest.mark.parametrize("key", NEGATIVE.values(), ids=NEGATIVE)
def test_negative_steps(xp, key):
    part = X[key]
    x = asarray(X, "float64")
    assert_close(unwrap(lift(x)[key]), part, dtype="float64")
    slope = grad(lambda x: array_namespace(x).sum(x[key] ** 2 * weights(x, part.shape)))(x)
    want = np.zeros_like(X)
    want[key] = 2 * part * np.arange(1.0, 1.0 + part.size).reshape(part.shape)
    assert_close(slope, want, dtype="float64")


@pytest.mark.parametrize("key", [key for key in NEGATIVE.values() if None not in key])
def test_writes_with_negative_steps(xp, key):
    x = asarray(X, "float64")
    shape = X[key].shape

    def f(x):
        y = 2 * x
        y[key] = weights(x, shape) * x[key] ** 2
        return array_namespace(x).sum(y * weights(x, X.shape)), y

    (_, y), slope = value_and_grad(f, has_aux=True)(x)
    w, u = np.arange(1.0, 13.0).reshape(3, 4), np.arange(1.0, 1.0 + np.prod(shape)).reshape(shape)
    want, slopes = 2 * X, 2 * w
    want[key] = u * X[key] ** 2
    slopes[key] = w[key] * u * 2 * X[key]
    assert_close(y, want, dtype="float64")
    assert_close(slope, slopes, dtype="float64")


@pytest.mark.parametrize("key", ["mask", "rows", ..., (slice(None), ...)])
def test_a_value_that_is_overwritten_altogether_has_no_part_in_the_derivative(xp, key):
    """scikit-learn's StandardScaler replaces 0/0 in every feature; 0 * nan would be nan."""

    def f(x):
        xp = array_namespace(x)
        y = x * (xp.zeros_like(x) / 0.0)
        mask = xp.isnan(y)
        y[mask if key == "mask" else mask[:, 0] if key == "rows" else key] = 3.0
        return xp.sum(y * x)

    with np.errstate(all="ignore"):
        assert_close(grad(f)(asarray([[1.0, 2.0], [3.0, 4.0]])), [[3.0, 3.0], [3.0, 3.0]])


@pytest.mark.parametrize("scalar", [np.int64(3), np.float64(3.0), np.float32(3.0)])
def test_scalars_of_numpy_are_numbers(xp, scalar):
    x = asarray([1.0, 2.0], "float64")
    assert_close(
        grad(lambda x: array_namespace(x).sum(x * scalar + x**scalar / scalar))(x), [4.0, 7.0], dtype="float64"
    )
    constant = lift(x)
    assert_close(unwrap(constant * scalar), [3.0, 6.0], dtype="float64")
    assert to_numpy(unwrap(array_namespace(constant).isfinite(constant / scalar))).all()


def test_an_index_that_is_an_array_of_no_dimension(xp):
    def f(x):
        xp = array_namespace(x)
        return x[xp.argmax(x)] ** 2 + x[xp.argmin(x)] * 3

    assert_close(grad(f)(asarray([2.0, 5.0, 1.0])), [0.0, 10.0, 3.0])


def test_the_name_of_the_namespace_says_how_plain_arrays_join_it(xp):
    """array-api-compat's error about several namespaces prints it: the function closes over data."""
    compat = pytest.importorskip("array_api_compat")
    data = asarray([1.0, 2.0])
    with pytest.raises(TypeError, match=r"portanet\.autodiff\.lift\(x\) brings in plain arrays"):
        grad(lambda x: compat.array_namespace(x, data).sum(x))(data)
    assert_close(grad(lambda x: compat.array_namespace(x, lift(data)).sum(x * lift(data)))(data), [1.0, 2.0])
