"""A learned factor per feature (Touvron et al. 2021)."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import Backend
from tests.layers.matrix import check_layer
from tests.support import assert_close


def test_matrix(backend: Backend) -> None:
    check_layer(lambda: layers.LayerScale(0.5, 3), (2, 4, 3), (2, 4, 3), {"gamma": (3,)})


def test_a_factor_per_feature(backend: Backend) -> None:
    layer = layers.LayerScale(0.25, 2)
    x = portanet.asarray(np.asarray([[1.0, 2.0], [3.0, 4.0]]))
    assert_close(layer(x), np.asarray([[0.25, 0.5], [0.75, 1.0]], dtype="float32"))
    layer.set_weights([np.asarray([2.0, -1.0])])
    assert_close(layer(x), np.asarray([[2.0, -2.0], [6.0, -4.0]], dtype="float32"))


def test_another_number_of_features_is_refused() -> None:
    with pytest.raises(ValueError, match=r"inputs with 3 features .* Received: an input of shape \(2, 4\)"):
        layers.LayerScale(0.5, 3)(np.ones((2, 4), dtype="float32"))
