from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import Backend
from tests.layers.matrix import check_layer
from tests.support import assert_close, assert_equal


@pytest.mark.parametrize(
    ("make", "given", "expected"),
    [
        (lambda: layers.UpSampling1D(3), (2, 3, 2), (2, 9, 2)),
        (layers.UpSampling2D, (2, 2, 3, 1), (2, 4, 6, 1)),
        (lambda: layers.UpSampling2D((1, 3), "channels_first"), (2, 1, 2, 3), (2, 1, 2, 9)),
        (lambda: layers.UpSampling2D((2, 3), interpolation="bilinear"), (2, 2, 3, 1), (2, 4, 9, 1)),
        (lambda: layers.UpSampling2D((2, 3), "channels_first", "bicubic"), (2, 1, 2, 3), (2, 1, 4, 9)),
        (lambda: layers.UpSampling3D((1, 2, 1)), (1, 2, 2, 3, 1), (1, 2, 4, 3, 1)),
    ],
)
def test_matrix(backend: Backend, make, given, expected) -> None:
    check_layer(make, given, expected, {})


def test_values(backend: Backend) -> None:
    x = portanet.asarray(np.asarray([[1.0, 2.0], [3.0, 4.0]]).reshape(1, 2, 2, 1))
    nearest = [[1, 1, 2, 2], [1, 1, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
    assert_equal(layers.UpSampling2D(2)(x), np.asarray(nearest, dtype="float32").reshape(1, 4, 4, 1))
    row = layers.UpSampling2D((1, 2), interpolation="bilinear")(x)
    assert_close(row, np.asarray([[1, 1.25, 1.75, 2], [3, 3.25, 3.75, 4]], dtype="float32").reshape(1, 2, 4, 1))


@pytest.mark.parametrize("interpolation", ["bicubic", "lanczos3"])
def test_other_interpolations_are_those_of_resizing(interpolation: str, backend: Backend) -> None:
    x = portanet.asarray(np.random.default_rng(1).normal(size=(1, 4, 3, 2)))
    expected = layers.Resizing(8, 9, interpolation)(x)
    assert_close(layers.UpSampling2D((2, 3), interpolation=interpolation)(x), backend.to_host(expected))


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: layers.UpSampling2D(0), "`size` of layer 'up_sampling2d'.*Received: size=0"),
        (lambda: layers.UpSampling2D((2, 2.5)), r"Received: size=\(2, 2.5\)"),
        (lambda: layers.UpSampling2D(interpolation="cubic"), "Received: interpolation='cubic'"),
        (lambda: layers.UpSampling1D()(np.ones((2, 3))), r"\(batch, steps, channels\). Received: shape \(2, 3\)"),
    ],
)
def test_bad_input(use, message) -> None:
    with pytest.raises(ValueError, match=message):
        use()
