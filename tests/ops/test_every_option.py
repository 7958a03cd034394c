"""Every option of portanet.ops is given in one case and left out in another; those that no table can hold are here."""

from __future__ import annotations

import inspect
import itertools
from typing import Any

import numpy as np
import pytest

from portanet import ops
from portanet.ops.operation import OPERATIONS
from tests.ops.cases import CASES, FUNCTIONS, OPTIONS, OTHER, Case
from tests.ops.cases.usual import J, K, M, P, T, X
from tests.ops.test_options import OF_NUMPY
from tests.support import asarray, assert_close, assert_equal, to_numpy

REQUIRED = {"elastic_transform": {"seed"}, "multi_hot": {"num_classes"}}
"""Without them, a function raises, or its results are others in each call."""
IGNORED = {
    "bincount": {"sparse"}, "convert_to_tensor": {"sparse", "ragged"}, "dot_product_attention": {"flash_attention"},
    "moments": {"synchronized"}, "multi_hot": {"sparse"}, "one_hot": {"sparse"}, "resize": {"fill_mode"},
    "segment_prod": {"sorted"}, "unique": {"sorted"},
}  # fmt: skip
"""Options of a single value."""
OWN_TESTS = {
    "argpartition": {"axis"}, "average_pool": {"padding"}, "ctc_decode": {"beam_width", "top_paths"},
    "dot_product_attention": {"attn_logits_soft_cap"},
    "gaussian_blur": {"data_format"},
    "elastic_transform": {"alpha", "sigma", "interpolation", "fill_mode", "fill_value", "data_format"},
    "empty": {"dtype"}, "empty_like": {"dtype"}, "lstsq": {"rcond"}, "qr": {"mode"},
    "relu": {"negative_slope", "max_value", "threshold"}, "scale_and_translate": {"antialias"}, "sparsemax": {"axis"},
    "svd": {"compute_uv", "full_matrices"}, "unique": {"return_index"}, "view": {"dtype"},
}  # fmt: skip
"""Options that tests in this folder give and leave out."""


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - set(FUNCTIONS.split())))
def test_an_option_is_given_and_left_out(name: str) -> None:
    cases: list[Case] = [case for table in (CASES, OPTIONS, OTHER, OF_NUMPY) for case in table.get(name, [])]
    signature = inspect.signature(OPERATIONS[name])
    bound = [signature.bind(*case.args, **case.kwargs).arguments for case in cases]
    names = {p.name for p in signature.parameters.values() if p.default is not inspect.Parameter.empty}
    names -= OWN_TESTS.get(name, set())
    assert {p for p in names if all(p in given for given in bound)} <= REQUIRED.get(name, set())
    assert {p for p in names if not any(p in given for given in bound)} <= IGNORED.get(name, set())


def test_elastic_transform_without_options() -> None:
    x = np.asarray(T[..., :3])
    np.testing.assert_array_equal(
        ops.image.elastic_transform(x, seed=1), ops.image.elastic_transform(x, 20.0, 5.0, "bilinear", "reflect", 0.0, 1)
    )


def test_blurs_take_the_channels_last(xp: Any) -> None:
    """Keras on PyTorch blurs other axes by default."""
    x = asarray(np.asarray(T[..., :3]))
    assert_equal(ops.image.gaussian_blur(x), to_numpy(ops.image.gaussian_blur(x, data_format="channels_last")))


@pytest.mark.parametrize("window", ["hann", [0.5, 1.0, 2.0, 1.5, 1.0, 0.25]])
def test_sequences_that_begin_at_the_edge_come_back(backend: Any, window: Any) -> None:
    """All samples under a window that is not 0 there. (Keras divides by the sum of windows far from the edges.)"""
    x = np.random.default_rng(2).normal(size=(2, 22))
    own = asarray(window) if isinstance(window, list) else window
    parts = ops.stft(asarray(x), 6, 2, 6, own, center=False)
    for length in (None, 22, 15):
        back = to_numpy(ops.istft(parts, 6, 2, 6, length, own, center=False))
        first = int(window == "hann")
        assert back.shape == (2, length or 22)
        np.testing.assert_allclose(back[:, first:], x[:, first:length], atol=1e-4)


def test_argpartition_along_axes(xp: Any) -> None:
    for axis in (0, 1, -2, None):
        x = asarray(T)
        places = to_numpy(ops.argpartition(x, 1, axis))
        flat = T.reshape(-1) if axis is None else T
        chosen = np.take_along_axis(flat, places, 0 if axis is None else axis)
        np.testing.assert_array_equal(chosen, np.sort(flat, 0 if axis is None else axis))
    assert_equal(ops.argpartition(asarray([True, False]), 0), [1, 0], dtype="int32")


def test_empty_arrays_have_the_dtype(backend: Any) -> None:
    for result in (ops.empty((2, 0), "int32"), ops.empty_like(asarray(np.ones((2, 0))), "int32")):
        assert ops.dtype(result) == "int32"
        assert ops.shape(result) == (2, 0)
    assert ops.dtype(ops.empty((0,))) == ops.dtype(ops.empty_like(asarray(np.ones(0)))) == "float32"


def test_least_squares_leaves_out_small_singular_values(backend: Any) -> None:
    a = np.diag([4.0, 1.0, 0.1])[:, :2] + 0.0
    for rcond, expected in ((None, [0.5, 2.0]), (0.2, [0.5, 2.0]), (0.3, [0.5, 0.0])):
        assert_close(ops.lstsq(asarray(a), asarray([2.0, 2.0, 2.0]), rcond), expected)


@pytest.mark.parametrize("shape", [(4, 2), (2, 4)])
def test_factors_make_the_matrix(backend: Any, shape: tuple[int, int]) -> None:
    a = np.random.default_rng(1).normal(size=(3, *shape))
    (m, n), x = shape, asarray(a, "float64")
    for mode, inner in (("reduced", min(m, n)), ("complete", m)):
        q, r = map(to_numpy, ops.qr(x, mode))
        assert (q.shape, r.shape) == ((3, m, inner), (3, inner, n))
        np.testing.assert_allclose(q @ r, a, atol=1e-9)
    for whole in (True, False):
        u, s, v = map(to_numpy, ops.svd(x, whole))
        assert (u.shape[2], v.shape[1]) == ((m, n) if whole else (min(m, n),) * 2)
        np.testing.assert_allclose((u[..., : min(m, n)] * s[:, None]) @ v[:, : min(m, n)], a, atol=1e-9)
        np.testing.assert_allclose(to_numpy(ops.svd(x, whole, False)), s)
    np.testing.assert_allclose(to_numpy(ops.svd(x)[0]), to_numpy(ops.svd(x, True, True)[0]))


def test_options_of_activations(xp: Any) -> None:
    x = np.asarray([-2.0, -0.5, 0.0, 0.5, 1.0, 3.0])
    for slope, most, threshold in (
        (0.0, None, 0.0),
        (0.5, None, 0.0),
        (0.0, 2.0, 0.0),
        (0.25, 2.5, 1.0),
        (0.0, None, 1.0),
    ):
        expected = np.where(x > threshold, x, slope * (x - threshold))
        expected = expected if most is None else np.minimum(expected, most)
        assert_close(ops.relu(asarray(x), slope, most, threshold), expected)
    for axis in (0, 1, -1):
        sides = np.moveaxis(T, axis, -1)
        expected = np.moveaxis(to_numpy(ops.sparsemax(asarray(sides))), -1, axis)
        assert_close(ops.sparsemax(asarray(T), axis), expected)


def test_views(backend: Any) -> None:
    x = asarray(X, "float32")
    assert ops.view(x) is x
    assert_equal(ops.view(x, "int32"), X.astype("float32").view("int32"), dtype="int32")
    assert_equal(ops.view(ops.view(x, "int32"), "float32"), X.astype("float32"))


def test_indices_of_unique_elements(backend: Any) -> None:
    x = asarray(np.asarray([3, 1, 3, 2], "int32"))
    assert_equal(ops.unique(x, return_index=True)[1], [1, 3, 0], dtype="int32")


def test_numbers_of_other_kinds(backend: Any) -> None:
    """Options as numbers of NumPy are those of Python."""
    assert_close(ops.sum(asarray(P), np.int64(1)), P.sum(1))
    assert_close(ops.clip(asarray(X), np.float32(-0.5), np.int64(1)), np.clip(X, -0.5, 1))
    assert_equal(ops.eye(np.int32(2), np.int64(3), np.int8(1)), np.eye(2, 3, 1))
    assert_equal(ops.take(asarray(M), np.int64(1), np.int64(0)), M[1])
    assert_equal(ops.roll(asarray(K, "int32"), np.int64(1), np.int64(1)), np.roll(K, 1, 1), dtype="int32")
    assert_equal(ops.repeat(asarray(J, "int32"), np.int64(2), np.int64(0)), np.repeat(J, 2, 0), dtype="int32")


@pytest.mark.parametrize("order", [None, "fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf])
def test_norms_of_matrices_along_any_two_axes(order: Any) -> None:
    x = np.random.default_rng(5).normal(size=(2, 3, 4, 2))
    for array in (x[0], x):
        for axes in itertools.permutations(range(-array.ndim, array.ndim), 2):
            if axes[0] % array.ndim == axes[1] % array.ndim:
                continue
            for keepdims in (False, True):
                expected = np.linalg.norm(array, order, axes, keepdims)
                actual = ops.norm(array, order, axes, keepdims)
                assert actual.shape == expected.shape
                np.testing.assert_allclose(actual, expected, rtol=1e-9)
