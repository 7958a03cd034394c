"""Exact results from textbooks.

S: J. G. Shanahan, Nabla, the gradient. What pages of the gallery show is in `tests/gallery`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import Backend
from tests.support import assert_close

# Linear units, gradient descent


@pytest.mark.parametrize(
    ("weights", "x", "target", "after"),
    [
        ([5, 4, 8], [34, 1, 4], 204.0, [4.32, 3.98, 7.92]),  # error 2
        ([2, -1, 4, 8], [1, 5, 1, 2], 10.0, [1.93, -1.35, 3.93, 7.86]),  # error 7
    ],
)
def test_one_step_of_linear_regression(backend: Backend, weights: Any, x: Any, target: float, after: Any) -> None:
    """S: the weights less 0.01 times the error times the example."""
    model = portanet.Sequential([layers.Input((len(x),)), layers.Dense(1, use_bias=False)])
    model.set_weights([np.asarray(weights, dtype=float)[:, None]])
    model.compile(portanet.optimizers.SGD(0.01), portanet.losses.QuadraticCost())
    model.train_on_batch(np.asarray([x], dtype=float), [[target]])
    assert_close(model.layers[0].kernel.value, np.asarray(after)[:, None], rtol=1e-6)
