"""Options of functions of portanet.ops that Keras on PyTorch lacks or computes otherwise, against NumPy and SciPy."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import scipy.ndimage

from portanet import ops
from portanet.backends import to_host
from portanet.tree import tree_map
from tests.ops.cases.indexing import ROWS, Q
from tests.ops.cases.usual import ACTIVATIONS, IMAGES, Case, J, K, T, V, W, X, Y, call
from tests.support import asarray

A = np.abs(V)
ENDS = np.asarray([np.inf, -np.inf, np.nan, 1.0])
OF_NUMPY: dict[str, list[Case]] = {
    "angle": [call(ENDS), call(K)],
    "array_split": [call(T, [2, 3], axis=-1), call(T, np.asarray([1, 2]), 1)],
    "average": [
        call(T, 1, A),
        call(T, -2, weights=A),
        call(T, weights=np.abs(T)),
        call(K, 0, J),
        call(T, axis=(0, 2)),
        call(T, (0, 2), np.abs(T)),
    ],
    "round": [call(K), call(X, decimals=-1)]
    + [call(np.asarray([123, 345, -25, 15, 2**31 - 9], dtype), -1) for dtype in ("int32", "int64")]
    + [call(np.asarray([123, 45, 100, 250], "uint8"), n) for n in (-1, -2, -3)],
    "bincount": [call(np.asarray([0, 2, 2]), minlength=1), call(np.asarray([], "int64"), minlength=2)],
    "correlate": [call(V, W, "same"), call(V, W), call(W[:5].copy(), V[:2].copy(), "same")],
    "cross": [
        call(T[:, :, :3].copy(), T[:, :, 1:].copy(), 1, 1, 1),
        call(T, Y[0], axisa=1),
        call(T, np.moveaxis(T, 1, 0) + 1, 1, 0, 0),
        call(X[:, :2].copy(), Y[:, :2].copy()),
        call(X, Y[:, :2].copy()),
        call(X[:, :2].copy(), Y),
        call(T, T + V[:, None], 1, 1),
        call(X.T.copy(), Y, 0, -1, 0),
    ],
    "dot": [
        call(T, Q[0]),
        call(T, np.asarray(2.0)),
        call(X, V),
        call(V, T),
    ],
    "full": [call(3, 2, dtype="float32"), call(2, 1.7, dtype="int32")],
    "geomspace": [
        call(1.0, 16.0, 5, dtype="float32"),
        call(A, A + 1, 4, axis=-1),
        call(A, 8.0, 3, False),
        call(-1.0, -8.0, 4),
    ],
    "heaviside": [call(ENDS, 2.0), call(np.asarray([-1.0, 0.0, 0.5]), np.asarray([3.0]))],
    "histogram": [call(T), call(T, 4, (-0.5, 1)), call(X, range=(0, 2))],
    "imag": [call(X), call(K)],
    "linspace": [
        call(V, V + 2, 5, axis=-1),
        call(X, Y, 3, axis=1),
        call(1, V, 4),
        call(V, 1.0, 3, axis=1),
        call(3.0, np.asarray(1.0), 4, retstep=True),
        call(np.asarray(3.0), 1.0, 4, False, True),
        call(V, 0.0, 3, dtype="float32"),
    ],
    "logspace": [call(V, V + 1, 4, axis=-1), call(V, 2.0, 3, False, 2.0, axis=1)],
    "max": [call(np.zeros((2, 0, 3)), axis=1, initial=3.0)],
    "median": [call(np.where(X > 1, np.nan, X), axis=0)],
    "pad": [
        call(X, 1),
        call(X, (2, 1)),
        call(X, ((1, 2),)),
        call(V, ((2, 1),)),
        call(X, ((0, 0), (2, 1)), "symmetric"),
        call(X, ((3, 0), (2, 7)), "symmetric"),
        call(X, ((3, 1), (4, 7)), "reflect"),
        call(X, ((3, 1), (4, 7)), "wrap"),
        call(K, ((1, 2), (0, 3)), "edge"),
        call(T, ((0, 1), (1, 0), (2, 2)), mode="edge"),
        call(V[:1].copy(), (2, 3), "reflect"),
        call(X, ((1, 0), (0, 1)), constant_values=np.asarray(2.5)),
    ],
    "quantile": [call(np.where(X > 1, np.nan, X), np.asarray([0.2, 0.5]), axis=0)],
    "repeat": [call(T, [1, 0, 2], axis=1), call(V, (1, 2, 0))],
    "take": [call(T, np.asarray(-1)), call(T, ROWS), call(T, np.asarray([[-1, 0], [2, 5]]))],
    "take_along_axis": [call(T, np.asarray([0, 5, -1]), None), call(T, np.asarray([[[-1], [0]]]), 1)],
    "tensordot": [call(X, T, axes=[[0], [0]])],
    "vdot": [call(X, Y), call(K, J), call(X + 2j * Y, Y - 1j * X)],
    "where": [call(X > 0), call(K > 1)],
}


@pytest.mark.filterwarnings("ignore:Arrays of 2-dimensional vectors", "ignore:invalid value", "ignore:All-NaN")
@pytest.mark.parametrize("name", OF_NUMPY)
def test_as_numpy(name: str) -> None:
    for case in OF_NUMPY[name]:
        own = tree_map(lambda x: asarray(x, str(x.dtype)) if isinstance(x, np.ndarray) else x, case)
        actual, expected = getattr(ops, name)(*own.args, **own.kwargs), getattr(np, name)(*case.args, **case.kwargs)
        results = zip(*(list(x) if isinstance(x, (list, tuple)) else [x] for x in (actual, expected)), strict=True)
        for a, b in results:
            assert tuple(a.shape) == np.shape(b)
            np.testing.assert_allclose(to_host(a), b, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", [*ACTIVATIONS.split(), "gelu", "leaky_relu", "softmax", "log_softmax"])
def test_activations_of_integers(name: str) -> None:
    actual = getattr(ops, name)(K)
    np.testing.assert_array_equal(actual, getattr(ops, name)(K.astype("float32")))
    assert actual.dtype == "float32"


@pytest.mark.parametrize("name", ["layer_normalization", "rms_normalization", "max_pool", "average_pool"])
def test_neural_networks_of_integers(name: str) -> None:
    x, options = (K[..., None], {"pool_size": 2}) if name.endswith("pool") else (K, {})
    np.testing.assert_array_equal(getattr(ops, name)(x, **options), getattr(ops, name)(x.astype("float32"), **options))


def test_reductions_of_special_values() -> None:
    np.testing.assert_array_equal(
        ops.max(np.zeros((2, 0, 3)), axis=1, keepdims=True, initial=-1.0), -np.ones((2, 1, 3))
    )
    np.testing.assert_array_equal(
        ops.in_top_k(np.asarray([0, 1]), np.asarray([[np.inf, 1.0], [-np.inf, -2.0]]), 1), [False, True]
    )
    mean, variance = ops.moments(K, 0)
    np.testing.assert_allclose(mean, K.mean(0))
    np.testing.assert_allclose(variance, K.var(0))
    np.testing.assert_array_equal(ops.saturate_cast(K, "bool"), K > 0)
    np.testing.assert_array_equal(ops.bincount(J), [np.bincount(row, minlength=5) for row in J])
    np.testing.assert_array_equal(ops.trace(K.astype("int8")), K[0, 0] + K[1, 1])
    assert ops.trace(K.astype("int8")).dtype == "int32"


def test_unique_returns_what_is_requested() -> None:
    x = np.asarray([[3, 1, 3], [2, 2, 3]])
    expected = np.unique(x, return_index=True, return_inverse=True, return_counts=True)
    for flags in itertools.product([False, True], repeat=3):
        actual = ops.unique(x, True, *flags)
        wanted = [expected[0], *(y for y, flag in zip(expected[1:], flags, strict=True) if flag)]
        for a, b in zip(actual if any(flags) else [actual], wanted, strict=True):
            np.testing.assert_array_equal(a, b)
    values, first, counts = ops.unique(x, return_index=True, return_counts=True, size=4, fill_value=7)
    np.testing.assert_array_equal([values, first, counts], [[1, 2, 3, 7], [1, 3, 0, 0], [1, 2, 3, 0]])
    np.testing.assert_array_equal(ops.unique(x, size=2), [1, 2])


def test_segments_of_integers_without_rows() -> None:
    ids, limits = np.asarray([1, 1]), np.iinfo("int32")
    for name, empty in (("max", limits.min), ("min", limits.max), ("sum", 0), ("prod", 1)):
        reduced = getattr(np, name)(J, axis=0)
        np.testing.assert_array_equal(getattr(ops, f"segment_{name}")(J, ids, 3), [[empty] * 3, reduced, [empty] * 3])
    x, ids = np.stack([X, Y, X + Y, X - Y]), np.asarray([2, 0, 2, 9])
    np.testing.assert_allclose(ops.segment_prod(x, ids, 3), [Y, np.ones_like(X), X * (X + Y)])


def test_scatter_update_replaces_by_the_last_and_combines() -> None:
    indices, updates = np.asarray([[1, 2], [0, -1], [1, 2], [1, 2], [0, 0]]), np.stack([V, -V, V[::-1], 2 * V, V - 1])
    x = np.concatenate([T, T[:, :1]], axis=1)[..., :3]
    for reduction, function in ((None, None), ("max", np.maximum), ("min", np.minimum), ("mul", np.multiply)):
        expected = x.copy()
        for index, row in zip(map(tuple, indices), updates, strict=True):
            expected[index] = row if function is None else function(expected[index], row)
        np.testing.assert_allclose(ops.scatter_update(x, indices, updates, reduction), expected)
    np.testing.assert_allclose(ops.scatter_update(x, [[1, 2]], 5.0)[1, 2], np.full(3, 5.0))


@pytest.mark.parametrize(
    "key",
    [
        (slice(None), slice(None, None, -1)),
        (..., slice(-1, None, -2)),
        (1, ..., slice(3, 0, -1)),
        (slice(None, None, -1), ROWS[:2], ..., slice(None, None, 2)),
        (..., ROWS, slice(None, None, -1)),
        (..., ROWS[:2], None, slice(1, 3)),
        (None, ..., ROWS, slice(None)),
    ],
)
def test_keys(key: Any) -> None:
    own = tuple(asarray(k, "int64") if isinstance(k, np.ndarray) else k for k in key)
    np.testing.assert_array_equal(to_host(ops.get_item(asarray(Q, "float64"), own)), Q[key])
    lists = tuple(k.tolist() if isinstance(k, np.ndarray) else k for k in key)
    np.testing.assert_array_equal(to_host(ops.get_item(asarray(Q, "float64"), lists)), Q[key])


def test_normalization_over_an_axis_in_the_middle() -> None:
    centered = (T - T.mean(1, keepdims=True)) / np.sqrt(T.var(1, keepdims=True) + 1e-7)
    np.testing.assert_allclose(ops.layer_normalization(T, V, axis=1), centered * V[:, None])
    np.testing.assert_allclose(ops.layer_normalization(T, None, V, 1), centered + V[:, None])
    scaled = T / np.sqrt((T * T).mean(1, keepdims=True) + 1e-7)
    np.testing.assert_allclose(ops.rms_normalization(T, V, 1), scaled * V[:, None])


def test_one_hot_with_the_classes_before_the_last_axis() -> None:
    np.testing.assert_array_equal(ops.one_hot(J, 5, -2), np.eye(5)[J].swapaxes(1, 2))
    np.testing.assert_array_equal(ops.one_hot(np.asarray([-1, 4]), 4), np.zeros((2, 4)))


def test_rearranged_axes() -> None:
    np.testing.assert_array_equal(ops.rearrange(T, "... c -> c ..."), np.moveaxis(T, -1, 0))
    np.testing.assert_array_equal(ops.rearrange(T[:, None], "a 1 b c -> (a b) c"), T.reshape(6, 4))
    np.testing.assert_array_equal(ops.rearrange(Q, "a ... d -> d ... a"), Q.transpose(3, 1, 2, 0))
    np.testing.assert_array_equal(ops.rearrange(Q, "a ... d -> (... d) a"), Q.reshape(2, 60).T)
    np.testing.assert_array_equal(ops.rearrange(T, "a b c -> a 1 (c b)"), T.swapaxes(1, 2).reshape(2, 1, 12))


def test_padding_of_pools_and_blurs() -> None:
    x = IMAGES.astype("float64")
    counts = scipy.ndimage.uniform_filter(np.ones((5, 6)), (3, 3), mode="constant")[None, :, :, None]
    expected = scipy.ndimage.uniform_filter(x, (1, 3, 3, 1), mode="constant") / counts
    np.testing.assert_allclose(ops.average_pool(x, 3, 1, "same"), expected)
    kernel = [np.exp(-0.5 * (np.arange(n) - n // 2) ** 2 / s**2) for n, s in ((3, 2.0), (5, 0.5))]
    weights = np.outer(kernel[0] / kernel[0].sum(), kernel[1] / kernel[1].sum())
    expected = scipy.ndimage.convolve(x, weights[None, :, :, None], mode="constant")
    np.testing.assert_allclose(ops.image.gaussian_blur(x, (3, 5), (0.5, 2.0)), expected)
    np.testing.assert_allclose(ops.image.gaussian_blur(x[0], (3, 5), [0.5, np.asarray(2.0)]), expected[0])


def test_images_of_integers_are_rounded() -> None:
    x = np.random.default_rng(0).integers(0, 255, (2, 5, 6, 3)).astype("uint8")
    for method in ("bilinear", "bicubic", "lanczos3", "lanczos5"):
        whole = ops.image.resize(x.astype("float32"), (7, 9), method)
        np.testing.assert_array_equal(ops.image.resize(x, (7, 9), method), np.clip(np.round(whole), 0, 255))


@pytest.mark.parametrize("start", [(1, 0, 1), np.asarray([1, 0, 1], "int32")])
def test_slice_to_the_end(start: Any, backend: Any) -> None:
    """Keras on PyTorch has -1 for symbolic arrays alone."""
    start = start if isinstance(start, tuple) else asarray(start, "int32")
    np.testing.assert_array_equal(to_host(ops.slice(asarray(T), start, (-1, 2, -1))), T[1:, :2, 1:].astype("float32"))
