from __future__ import annotations

import numpy as np

import portanet
from portanet.backends import Backend
from portanet.fused.gates import gate
from tests.support import assert_close, assert_equal


def test_a_binary_gate_chooses(backend: Backend) -> None:
    """The worked example on gated memory of S. Shanahan, Nabla: the gradient."""
    g, x, s = (
        portanet.asarray(np.asarray(each, dtype="float32"))
        for each in ([0, 1, 0, 0, 0, 1], [10, 11, 12, 13, 14, 15], [8, 9, 3, 7, 5, 8])
    )
    assert_equal(gate(g, x, s), [8.0, 11.0, 3.0, 7.0, 5.0, 15.0])


def test_a_soft_gate_smooths(backend: Backend) -> None:
    """Exponential smoothing, F' = alpha A + (1 - alpha) F."""
    a, f = portanet.asarray([20.0]), portanet.asarray([10.0])
    assert_close(gate(portanet.asarray([0.3]), a, f), [13.0])
