from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import Backend
from tests.layers.matrix import check_layer
from tests.support import assert_equal


@pytest.mark.parametrize(
    ("make", "given", "expected"),
    [
        (layers.ZeroPadding1D, (2, 3, 4), (2, 5, 4)),
        (lambda: layers.ZeroPadding1D((0, 2)), (2, 3, 4), (2, 5, 4)),
        (lambda: layers.ZeroPadding1D(2, data_format="channels_first"), (2, 3, 4), (2, 3, 8)),
        (lambda: layers.ZeroPadding2D(((1, 0), (2, 3))), (2, 3, 4, 1), (2, 4, 9, 1)),
        (lambda: layers.ZeroPadding2D((1, 2)), (2, 3, 4, 1), (2, 5, 8, 1)),
        (lambda: layers.ZeroPadding2D(0), (2, 3, 4, 1), (2, 3, 4, 1)),
        (lambda: layers.ZeroPadding3D(1, data_format="channels_first"), (1, 2, 2, 3, 1), (1, 2, 4, 5, 3)),
        (layers.Cropping1D, (2, 4, 3), (2, 2, 3)),
        (lambda: layers.Cropping1D((0, 1)), (2, 4, 3), (2, 3, 3)),
        (lambda: layers.Cropping2D(((1, 0), (0, 2))), (2, 3, 4, 1), (2, 2, 2, 1)),
        (lambda: layers.Cropping2D(1, data_format="channels_first"), (2, 1, 3, 4), (2, 1, 1, 2)),
        (layers.Cropping3D, (2, 3, 3, 4, 1), (2, 1, 1, 2, 1)),
    ],
)
def test_matrix(backend: Backend, make, given, expected) -> None:
    check_layer(make, given, expected, {})


def test_values(backend: Backend) -> None:
    host = np.arange(6.0).reshape(1, 2, 3, 1)
    padded = layers.ZeroPadding2D(((1, 0), (0, 2)))(portanet.asarray(host))
    assert_equal(padded, np.pad(host, ((0, 0), (1, 0), (0, 2), (0, 0))))
    assert_equal(layers.Cropping2D(((1, 0), (0, 2)))(padded), host)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: layers.ZeroPadding2D(-1), "`padding` of layer 'zero_padding2d'.*none negative. Received: padding=-1"),
        (lambda: layers.ZeroPadding2D((1, 2, 3)), r"2 axes.*Received: padding=\(1, 2, 3\)"),
        (lambda: layers.ZeroPadding2D("same"), "Received: padding='same'"),
        (lambda: layers.ZeroPadding2D(1, data_format="NCHW"), "Received: data_format='NCHW'"),
        (lambda: layers.ZeroPadding2D()(np.ones((2, 3))), r"\(batch, height, width, channels\).*shape \(2, 3\)"),
        (lambda: layers.Cropping1D((2, 2))(np.ones((1, 4, 1))), r"leaves nothing. Received.*\(1, 4, 1\)"),
        (lambda: layers.Cropping1D(1.5), "Received: cropping=1.5"),
        (lambda: layers.Cropping3D(data_format="channels_first")(np.ones((1, 4))), r"\(batch, channels, depth, height"),
    ],
)
def test_bad_input(use, message) -> None:
    with pytest.raises(ValueError, match=message):
        use()
