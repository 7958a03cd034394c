"""Defects of the original NumPyDL that must not come back; each test is named by the defect."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import layers, optimizers, schedules
from tests.support import asarray, to_numpy

DECAYS = [
    schedules.InverseTimeDecay(0.1, 10, 0.5),
    schedules.ExponentialDecay(0.1, 10, 0.9),
    schedules.StepDecay(0.1, 10, 0.5),
    schedules.PolynomialDecay(0.1, 100),
    schedules.PowerDecay(0.1),
    schedules.CosineDecay(0.1, 100),
]


@pytest.mark.parametrize("decay", DECAYS, ids=lambda decay: type(decay).__name__)
def test_decay_that_raises_the_learning_rate(backend: Any, decay: Any) -> None:
    """The steps that are taken under a constant gradient never grow, and shrink in the end."""
    optimizer = optimizers.SGD(decay)
    params = {"w": asarray([0.0])}
    state = optimizer.init(params)
    places = [0.0]
    for _ in range(60):
        params, state = optimizer.update(params, {"w": asarray([1.0])}, state)
        places.append(float(to_numpy(params["w"])[0]))
    moves = -np.diff(places)
    assert moves[0] == pytest.approx(0.1, rel=1e-4)
    assert (np.diff(moves) <= 1e-6).all()
    assert moves[-1] < 0.6 * moves[0]


def test_dropout_active_in_predict_and_validation(backend: Any) -> None:
    x = asarray(np.ones((20, 30)))
    for layer in (layers.Dropout(0.5), layers.SpatialDropout1D(0.5), layers.AlphaDropout(0.5)):
        batch = asarray(np.ones((4, 5, 6))) if isinstance(layer, layers.SpatialDropout1D) else x
        assert (to_numpy(layer(batch)) == 1).all()
        assert (to_numpy(layer(batch, training=False)) == 1).all()
        assert (to_numpy(layer(batch, training=True)) != 1).any()
