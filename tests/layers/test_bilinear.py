from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet.backends import Backend
from portanet.layers import Bilinear
from tests.layers.matrix import check_layer
from tests.support import assert_close


def test_matrix(backend: Backend) -> None:
    shapes = [(3, 2), (3, 5)]
    check_layer(lambda: Bilinear(4), shapes, (3, 4), {"kernel": (2, 5, 4), "bias": (4,)})
    check_layer(lambda: Bilinear(4, "tanh", use_bias=False), shapes, (3, 4), {"kernel": (2, 5, 4)})


def test_values(backend: Backend) -> None:
    layer = Bilinear(1)
    layer.build([(None, 2), (None, 2)])
    layer.set_weights([np.asarray([[[1.0], [2.0]], [[3.0], [4.0]]]), [0.5]])
    assert_close(layer([portanet.asarray([[1.0, 10.0]]), portanet.asarray([[1.0, 100.0]])]), [[4231.5]])


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: Bilinear(0), "`units` of layer 'bilinear' must be a positive integer. Received: units=0"),
        (lambda: Bilinear(2)(np.ones((2, 3))), "a list of arrays: first, second"),
        (lambda: Bilinear(2)([np.ones((2, 3)), np.ones((2, 3, 1))]), r"\(batch, features\). Received"),
    ],
)
def test_bad_input(use, message) -> None:
    with pytest.raises(ValueError, match=message):
        use()
