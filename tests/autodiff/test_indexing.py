"""Indices that some libraries do not support, writes that leave nothing of an array, and scalars of NumPy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from portanet.autodiff import array_namespace, grad, lift, unwrap, value_and_grad
from portanet.autodiff.rules.indexing import ascending, plain_integers
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


def test_negative_steps_are_positive_ones_flipped() -> None:
    """What libraries do that have no negative steps, for all indices of a few parts."""
    x = np.arange(60).reshape(3, 4, 5)
    parts = (slice(None, None, -1), slice(3, 0, -2), slice(0, 2, -1), slice(1, None), 1, -1, None, ...)
    tried = 0
    for count in (1, 2, 3, 4):
        for key in itertools.product(parts, repeat=count):
            if key.count(...) > 1 or sum(k is not None and k is not ... for k in key) > 3:
                continue
            positive, axes = ascending(key, x.shape)
            steps = [k.step for k in positive if isinstance(k, slice)]
            assert all(step is None or step > 0 for step in steps)
            np.testing.assert_array_equal(np.flip(x[positive], axes), x[key], err_msg=str(key))
            tried += 1
    assert tried > 1000
    assert ascending(slice(None, None, -2), (5,)) == ((slice(0, 5, 2),), (0,))
    mask = x > 3
    assert ascending((mask, slice(None, None, -1)), x.shape) == ((mask, slice(None, None, -1)), ())


def test_integers_in_place_of_arrays_of_no_dimension() -> None:
    one, several = np.asarray(1), np.asarray([1, 2])
    for key, expected in ((one, (1,)), ((one, slice(2)), (1, slice(2))), ((several[0], None, one), (1, None, 1))):
        assert plain_integers(key) == expected
        assert not any(hasattr(k, "dtype") for k in plain_integers(key))
    for key in (2, (slice(3), ...), (several, 0), several):
        assert plain_integers(key) is key
