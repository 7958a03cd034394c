"""Padding larger than the window, on one side or along one axis: values and gradients against the whole Jacobian."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from portanet.autodiff import array_namespace, grad, jvp, vjp
from portanet.backends import Backend, use_backend
from portanet.fused.convolution import conv_nd, conv_transpose_nd
from portanet.fused.pooling import average_pool, l2_pool, max_places, max_pool, unpool, window_sum
from portanet.fused.windows import Window, window
from tests.support import asarray, assert_close, assert_equal, to_numpy

CASES: list[tuple[tuple[int, ...], tuple[int, ...], Any, Any, Any]] = [
    ((4,), (2,), 1, ((5, 0),), 1),
    ((4,), (2,), 1, ((0, 5),), 1),
    ((4,), (3,), 2, ((7, 1),), 1),
    ((1,), (2,), 3, ((4, 4),), 1),
    ((3,), (2,), 2, ((6, 3),), 3),
    ((3, 4), (2, 2), 1, ((4, 0), (0, 0)), 1),
    ((3, 4), (2, 3), 1, ((0, 0), (0, 5)), 1),
    ((3, 2), (1, 2), (2, 3), ((0, 3), (5, 0)), 1),
    ((2, 3), (2, 2), (3, 2), ((4, 1), (1, 4)), (1, 2)),
    ((2, 3, 2), (1, 2, 2), 1, ((3, 0), (0, 0), (0, 4)), 1),
]


def windowed(x: np.ndarray, slid: Window) -> np.ndarray:
    """The elements of each window, shape (batch, *positions, elements of the window, channels); padding is NaN."""
    x = np.pad(x, ((0, 0), *slid.padding, (0, 0)), constant_values=np.nan)
    count = [
        len([i for i in range(0, n, s) if i + (k - 1) * d < n])
        for n, k, s, d in zip(x.shape[1:-1], slid.size, slid.strides, slid.dilation, strict=True)
    ]
    out = np.zeros((x.shape[0], *count, *slid.size, x.shape[-1]))
    for q in np.ndindex(*count):
        key = tuple(
            slice(a * s, a * s + (k - 1) * d + 1, d)
            for a, s, k, d in zip(q, slid.strides, slid.size, slid.dilation, strict=True)
        )
        out[(slice(None), *q)] = x[(slice(None), *key)]
    return out.reshape(x.shape[0], *count, -1, x.shape[-1])


def jacobian(f: Any, x: np.ndarray) -> np.ndarray:
    """The matrix of a linear function, from its values at the unit vectors."""
    units = np.eye(x.size).reshape(x.size, *x.shape)
    return np.stack([f(unit).ravel() for unit in units], axis=1)


@pytest.fixture
def double(backend: Backend) -> Any:
    with use_backend(backend.name, backend.device, "float64") as chosen:
        yield chosen


@pytest.mark.parametrize(("space", "size", "strides", "padding", "dilation"), CASES)
def test_convolution(double: Backend, space: Any, size: Any, strides: Any, padding: Any, dilation: Any) -> None:
    rng = np.random.default_rng(0)
    slid = window(space, size, strides, padding, dilation)
    x, k = rng.normal(size=(2, *space, 2)), rng.normal(size=(*size, 2, 3))
    seen = lambda x: np.nan_to_num(windowed(x, slid))
    by_hand = lambda x, k: np.einsum("...ec,ecf->...f", seen(x), k.reshape(-1, 2, 3))
    y, pull = vjp(lambda x, k: conv_nd(x, k, None, strides, padding, dilation), asarray(x), asarray(k))
    assert_close(y, by_hand(x, k), rtol=1e-12, atol=1e-12)
    g = rng.normal(size=tuple(y.shape))
    gx, gk = pull(asarray(g))
    assert_close(gx, (g.ravel() @ jacobian(lambda x: by_hand(x, k), x)).reshape(x.shape), rtol=1e-10, atol=1e-12)
    assert_close(gk, (g.ravel() @ jacobian(lambda k: by_hand(x, k), k)).reshape(k.shape), rtol=1e-10, atol=1e-12)
    back = conv_transpose_nd(asarray(g), asarray(k), None, strides, padding, dilation, space=space)
    assert_close(back, to_numpy(gx), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("space", "size", "strides", "padding", "dilation"), CASES)
def test_pooling(double: Backend, space: Any, size: Any, strides: Any, padding: Any, dilation: Any) -> None:
    """A window of nothing but padding: the maximum is -inf, the mean and the norm 0, and none has a derivative."""
    rng = np.random.default_rng(1)
    slid = window(space, size, strides, padding, dilation)
    x = rng.permutation(np.prod((2, *space, 2))).reshape(2, *space, 2) - 5.0
    seen = windowed(x, slid)
    empty = np.isnan(seen).all(axis=-2)
    assert empty.any()
    counts = np.maximum((~np.isnan(seen)).sum(axis=-2), 1)
    maxima = np.max(np.nan_to_num(seen, nan=-np.inf), axis=-2)
    first = np.argmax(np.nan_to_num(seen, nan=-np.inf), axis=-2)
    zeroed = lambda x: np.nan_to_num(windowed(x, slid))
    picked = lambda x: np.take_along_axis(zeroed(x), np.expand_dims(first, -2), axis=-2)[..., 0, :] * ~empty
    sums, norms = zeroed(x).sum(axis=-2), np.sqrt((zeroed(x) ** 2).sum(axis=-2))
    g = rng.normal(size=maxima.shape)
    by_norm = jacobian(lambda t: (zeroed(x) * zeroed(t)).sum(axis=-2) / np.where(norms == 0, 1, norms), x)
    for function, value, matrix in (
        (lambda x: max_pool(x, window=slid), maxima, jacobian(picked, x)),
        (lambda x: window_sum(x, window=slid), sums, jacobian(lambda x: zeroed(x).sum(axis=-2), x)),
        (lambda x: average_pool(x, slid), sums / counts, jacobian(lambda x: zeroed(x).sum(axis=-2) / counts, x)),
        (lambda x: l2_pool(x, slid), norms, by_norm),
    ):
        y, pull = vjp(function, asarray(x))
        assert_close(y, value, rtol=1e-12, atol=1e-12)
        assert_close(pull(asarray(g))[0], (g.ravel() @ matrix).reshape(x.shape), rtol=1e-10, atol=1e-12)
    t = rng.normal(size=x.shape)
    tangent = jvp(lambda x: max_pool(x, window=slid), (asarray(x),), (asarray(t),))[1]
    assert_close(tangent, picked(t), rtol=1e-12, atol=1e-12)
    places = to_numpy(max_places(asarray(x), slid))
    np.testing.assert_array_equal(places[~empty], first[~empty])
    put = unpool(asarray(g), max_places(asarray(x), slid), slid, space)
    assert_close(put, (g.ravel() @ jacobian(picked, x)).reshape(x.shape), rtol=1e-10, atol=1e-12)


def test_windows_of_one_element_and_axes_of_one(double: Backend) -> None:
    x = np.arange(1.0, 13.0).reshape(1, 3, 4, 1)
    whole = window((3, 4), (1, 1))
    for f in (lambda x: max_pool(x, window=whole), lambda x: average_pool(x, whole), lambda x: l2_pool(x, whole)):
        assert_equal(f(asarray(x)), x, dtype="float64")
        assert_close(grad(lambda x, f=f: array_namespace(x).sum(f(x) * f(x)))(asarray(x)), 2 * x)


@pytest.mark.parametrize("strides", [(1,), (2,), (5,)])
def test_equal_elements_at_the_ends_of_windows(double: Backend, strides: Any) -> None:
    """All elements equal: the first of each window, padding excluded, has the derivative."""
    for before, after in itertools.product(range(3), repeat=2):
        slid = window((5,), (3,), strides, ((before, after),))
        y, pull = vjp(lambda x, slid=slid: max_pool(x, window=slid), asarray(np.full((1, 5, 1), -2.0)))
        expected = np.zeros(5)
        for q in range(y.shape[1]):
            expected[max(0, q * strides[0] - before)] += q + 1.0
        gradient = pull(asarray(np.arange(1.0, y.shape[1] + 1).reshape(1, -1, 1)))[0]
        assert_equal(gradient, expected.reshape(1, 5, 1), dtype="float64")
