"""JSON of models, read by the other library."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet import layers

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning")


def test_json_is_the_same_for_both() -> None:
    x = layers.Input((8, 8, 2))
    y = layers.Conv2D(3, 3, activation="relu", kernel_regularizer="l2")(x)
    ours = portanet.Model(x, layers.Dense(2)(layers.Concatenate()([layers.Flatten()(y), layers.Flatten()(x)])))
    theirs = keras.models.model_from_json(ours.to_json())
    back = portanet.models.model_from_json(theirs.to_json())
    data = np.random.default_rng(0).standard_normal((2, 8, 8, 2)).astype("float32")
    theirs.set_weights(ours.get_weights())
    back.set_weights(ours.get_weights())
    np.testing.assert_allclose(theirs.predict(data, verbose=0), ours(data), rtol=1e-4, atol=1e-5)
    np.testing.assert_array_equal(back(data), ours(data))
