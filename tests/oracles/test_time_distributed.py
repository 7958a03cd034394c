"""`TimeDistributed` with a mask against Keras 3: the layer gets the mask of each step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from tests.support import to_numpy

keras = pytest.importorskip("keras")
torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning", "ignore::UserWarning")
RNG = np.random.default_rng(1)
X = RNG.normal(size=(5, 4, 3)).astype("float32")
DEEP = RNG.normal(size=(5, 4, 6, 3)).astype("float32")
MASK, DEEP_MASK = RNG.random((5, 4)) < 0.6, RNG.random((5, 4, 6)) < 0.6
MASK[:2], DEEP_MASK[..., 0] = True, True


@pytest.mark.parametrize(
    ("make", "x", "mask"),
    [
        (lambda kind: kind.BatchNormalization(momentum=0.7), X, MASK),
        (lambda kind: kind.BatchNormalization(momentum=0.7), X, None),
        (lambda kind: kind.BatchNormalization(), DEEP, DEEP_MASK),
        (lambda kind: kind.Dense(2), X, MASK),
        (lambda kind: kind.GRU(2), DEEP, DEEP_MASK),
        (lambda kind: kind.LSTM(2, return_sequences=True), DEEP, DEEP_MASK),
        (lambda kind: kind.GlobalAveragePooling1D(), DEEP, DEEP_MASK),
    ],
)
@pytest.mark.parametrize("training", [True, False])
def test_as_keras(backend: Any, make: Any, x: Any, mask: Any, training: bool) -> None:
    ours, theirs = layers.TimeDistributed(make(layers)), keras.layers.TimeDistributed(make(keras.layers))
    given = portanet.asarray(x)
    ours(given)
    theirs(x)
    theirs.set_weights(ours.get_weights())
    own = None if mask is None else portanet.asarray(mask)
    result = to_numpy(ours(given, training=training, mask=own))
    other = None if mask is None else torch.tensor(mask)
    expected = theirs(torch.tensor(x), training=training, mask=other).detach().numpy()
    np.testing.assert_allclose(result, expected, rtol=1e-4, atol=1e-5)
    for weight, value in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(weight, value, rtol=1e-5, atol=1e-6)
