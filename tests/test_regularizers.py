from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from portanet import layers, regularizers
from portanet.autodiff import array_namespace, grad
from portanet.backends import use_backend
from portanet.variables import Variable
from tests.support import asarray, assert_close, to_numpy

W = np.array([[0.5, -1.0, 2.0], [0.0, 3.0, -0.25]])


def test_the_documents_numbers(xp: Any) -> None:
    x = asarray([0.0, 1.0, 3.0])
    assert_close(regularizers.L1(1.0)(x), 4.0)
    assert_close(regularizers.L2(1.0)(x), 10.0)
    assert_close(regularizers.L1L2(1.0, 1.0)(x), 14.0)


def test_values_and_gradients(xp: Any) -> None:
    w = asarray(W)
    assert_close(regularizers.L1L2(0.5, 0.25)(w), 0.5 * np.abs(W).sum() + 0.25 * (W**2).sum())
    assert_close(grad(regularizers.L1(0.5))(w), 0.5 * np.sign(W))
    assert_close(grad(regularizers.L2(0.25))(w), 0.5 * W)
    assert_close(regularizers.L1L2()(w), 0.0)


@pytest.mark.parametrize("mode", ["rows", "columns"])
def test_orthogonal(xp: Any, mode: str) -> None:
    rows = W if mode == "rows" else W.T
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    cosines = np.abs(unit @ unit.T)[~np.eye(len(rows), dtype=bool)]
    assert_close(regularizers.OrthogonalRegularizer(0.3, mode)(asarray(W)), 0.3 * cosines.mean())
    assert_close(regularizers.OrthogonalRegularizer(1.0, mode)(asarray(np.eye(3))), 0.0)


def test_contractive_is_the_jacobians_norm(backend: Any) -> None:
    with use_backend(backend.name, backend.device, "float64"):
        encoder = layers.Dense(3, activation="sigmoid")
        x = asarray(np.random.default_rng(0).standard_normal((4, 5)))
        code, penalty = regularizers.contractive(encoder, x)
        h, kernel = to_numpy(code), to_numpy(encoder.kernel.value)
        # The closed form for a sigmoid layer (Rifai et al. 2011).
        expected = ((h * (1 - h)) ** 2 @ (kernel**2).sum(axis=0)).mean()
        assert_close(penalty, expected)


def test_contractive_penalty_can_be_differentiated(backend: Any) -> None:
    rng = np.random.default_rng(0)
    kernel, x, direction = rng.standard_normal((5, 3)), rng.standard_normal((4, 5)), rng.standard_normal((5, 3))
    with use_backend(backend.name, backend.device, "float64"):

        def penalty(w: Any) -> Any:
            return regularizers.contractive(lambda x: array_namespace(x, w).tanh(x @ w), asarray(x))[1]

        along = float((to_numpy(grad(penalty)(asarray(kernel))) * direction).sum())
        h = 1e-5
        up, down = (float(to_numpy(penalty(asarray(kernel + s * h * direction)))) for s in (1, -1))
        assert along == pytest.approx((up - down) / (2 * h), rel=1e-6)


def test_names() -> None:
    assert isinstance(regularizers.get("l2"), regularizers.L2)
    assert isinstance(regularizers.get("l1_l2"), regularizers.L1L2)
    assert regularizers.get(None) is None
    with pytest.raises(ValueError, match=r"Unknown regularizer. Did you mean 'L2'\?.*Received: identifier='L_2'"):
        regularizers.get("L_2")


def test_round_trip() -> None:
    made = regularizers.L1L2.from_config(regularizers.L1L2(0.1, 0.2).get_config())
    assert (made.l1, made.l2) == (0.1, 0.2)
    assert regularizers.L2.from_config(regularizers.L2(0.3).get_config()).l2 == 0.3


@pytest.mark.parametrize("value", [-0.1, math.inf, math.nan, "0.1", True])
def test_bad_factors(value: Any) -> None:
    with pytest.raises(ValueError, match=r"`l1` of L1 must be a non-negative number. Received: l1="):
        regularizers.L1(value)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match=r"`mode` of OrthogonalRegularizer must be one of 'rows', 'columns'."):
        regularizers.OrthogonalRegularizer(mode="diagonal")
    with pytest.raises(ValueError, match=r"2 axes. Received: shape \(3,\)"):
        regularizers.OrthogonalRegularizer()(np.ones(3))
    with pytest.raises(ValueError, match=r"shape \(batch, units\). Received: an output of shape \(2, 3, 1\)"):
        regularizers.contractive(lambda x: x, np.ones((2, 3, 1)))


def test_penalties_of_variables(xp: Any) -> None:
    variable = Variable(asarray([[3.0, 0.0], [0.0, -4.0]]))
    for regularizer in (regularizers.L1L2(0.0, 0.0), regularizers.L1L2(0.1, 0.2), regularizers.OrthogonalRegularizer()):
        assert_close(regularizer(variable), to_numpy(regularizer(variable.value)))
