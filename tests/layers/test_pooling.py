"""Pooling layers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import layers
from portanet.backends import Backend
from tests.layers.matrix import check_layer
from tests.support import asarray, assert_close, assert_equal

RANKED = [
    (cls, rank)
    for rank, names in {
        1: (layers.MaxPooling1D, layers.AveragePooling1D, layers.L2Pooling1D),
        2: (layers.MaxPooling2D, layers.AveragePooling2D, layers.L2Pooling2D),
        3: (layers.MaxPooling3D, layers.AveragePooling3D, layers.L2Pooling3D),
    }.items()
    for cls in names
]


def check(make: Any, shape: tuple[int, ...], result: Any) -> None:
    """With values so far apart that a small step does not change which is the largest."""
    size = int(np.prod(shape))
    check_layer(make, shape, result, {}, inputs=lambda g: g.permutation(size).reshape(shape) * 0.01 - size * 0.004)


@pytest.mark.parametrize(("cls", "rank"), RANKED)
def test_windows(backend: Backend, cls: Any, rank: int) -> None:
    space = (5, 4, 6)[:rank]
    check(cls, (2, *space, 3), (2, *(n // 2 for n in space), 3))
    overlapping = lambda: cls(3, 2, "same", "channels_first")
    check(overlapping, (2, 3, *space), (2, 3, *(-(-n // 2) for n in space)))


@pytest.mark.parametrize(
    ("cls", "rank"),
    [
        (layers.GlobalAveragePooling1D, 1),
        (layers.GlobalAveragePooling2D, 2),
        (layers.GlobalAveragePooling3D, 3),
        (layers.GlobalMaxPooling1D, 1),
        (layers.GlobalMaxPooling2D, 2),
        (layers.GlobalMaxPooling3D, 3),
    ],
)
def test_all_of_space(backend: Backend, cls: Any, rank: int) -> None:
    space = (3, 2, 4)[:rank]
    check(cls, (2, *space, 3), (2, 3))
    check(lambda: cls("channels_first", keepdims=True), (2, 3, *space), (2, 3, *(1,) * rank))


@pytest.mark.parametrize(
    ("cls", "rank"),
    [
        (layers.AdaptiveAveragePooling1D, 1),
        (layers.AdaptiveAveragePooling2D, 2),
        (layers.AdaptiveAveragePooling3D, 3),
        (layers.AdaptiveMaxPooling1D, 1),
        (layers.AdaptiveMaxPooling2D, 2),
        (layers.AdaptiveMaxPooling3D, 3),
    ],
)
def test_bins(backend: Backend, cls: Any, rank: int) -> None:
    space = (5, 4, 7)[:rank]
    check(lambda: cls(3), (2, *space, 2), (2, *(3,) * rank, 2))
    check(lambda: cls((2, 4, 1)[:rank], "channels_first"), (2, 2, *space), (2, 2, *(2, 4, 1)[:rank]))


@pytest.mark.parametrize("rank", [1, 2, 3])
def test_what_was_pooled_goes_back(backend: Backend, rank: int) -> None:
    pooling = (layers.MaxPooling1D, layers.MaxPooling2D, layers.MaxPooling3D)[rank - 1]
    unpooling = (layers.MaxUnpooling1D, layers.MaxUnpooling2D, layers.MaxUnpooling3D)[rank - 1]
    space = (6, 4, 2)[:rank]
    host = np.random.default_rng(0).standard_normal((2, *space, 3)).astype("float32")
    pooled = pooling(return_argmax=True)(asarray(host))
    back = backend.to_host(unpooling()(pooled))
    kept = back != 0
    assert kept.sum() == pooled[0].shape[0] * np.prod(pooled[0].shape[1:])
    np.testing.assert_array_equal(back[kept], host[kept])
    assert_equal(pooling()(asarray(back - 100.0 * ~kept)), backend.to_host(pooled[0]))
    first = pooling(return_argmax=True, data_format="channels_first")(asarray(np.moveaxis(host, -1, 1)))
    assert_equal(unpooling(data_format="channels_first")(first), np.moveaxis(back, -1, 1))
    small = tuple(n // 2 for n in space)
    check_layer(
        unpooling,
        [(2, *small, 3), (2, *small, 3)],
        (2, *space, 3),
        {},
        inputs=lambda g: [
            g.standard_normal((2, *small, 3)),
            g.integers(0, 2**rank, (2, *small, 3)).astype("int32"),
        ],
    )
    check_layer(lambda: pooling(return_argmax=True), (2, *space, 3), [(2, *small, 3)] * 2, gradient=False)


def test_masked_steps_are_no_part_of_the_mean(backend: Backend) -> None:
    x = np.random.default_rng(0).standard_normal((2, 4, 3)).astype("float32")
    mask = np.asarray([[True, True, False, False], [False, False, False, False]])
    expected = np.stack([x[0, :2].mean(axis=0), np.zeros(3)]).astype("float32")
    assert_close(layers.GlobalAveragePooling1D()(asarray(x), mask=asarray(mask)), expected, atol=1e-6)
    first = layers.GlobalAveragePooling1D("channels_first")
    assert_close(first(asarray(np.moveaxis(x, -1, 1)), mask=asarray(mask)), expected, atol=1e-6)


def test_integers_are_pooled_as_floats(backend: Backend) -> None:
    x = np.arange(16, dtype="int32").reshape(1, 4, 4, 1)
    assert_close(layers.MaxPooling2D(padding="same")(asarray(x)), np.reshape([5.0, 7.0, 13.0, 15.0], (1, 2, 2, 1)))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.MaxPooling2D(0), r"Argument `pool_size` of layer .*Received: pool_size=0"),
        (lambda: layers.MaxPooling2D(2, padding="full"), r"Argument `padding` of layer .*Received: padding='full'"),
        (lambda: layers.MaxPooling2D(2, padding=2), r"less than pool_size=\(2, 2\).*Received: padding=2"),
        (lambda: layers.AveragePooling1D(4)(np.ones((2, 3, 1))), r"does not fit into the input. Received: an input"),
        (lambda: layers.GlobalMaxPooling1D()(np.ones((2, 3))), r"needs inputs of shape .*Received: shape \(2, 3\)"),
        (lambda: layers.AdaptiveMaxPooling1D(0), r"Argument `output_size` .*Received: output_size=0"),
    ],
)
def test_wrong_arguments(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_l2_of_nan_is_nan(xp: Any) -> None:
    pooled = layers.L2Pooling1D(2)(asarray(np.reshape([3.0, 4.0, 1.0, np.nan, 0.0, 0.0], (1, 6, 1))))
    assert_close(pooled, np.reshape([5.0, np.nan, 0.0], (1, 3, 1)))
