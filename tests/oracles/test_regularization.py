"""Regularizers, constraints and the fixed parts of dropout layers against Keras 3; values and gradients."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
import pytest

from portanet import constraints, layers, regularizers
from portanet.autodiff import value_and_grad

os.environ.setdefault("KERAS_BACKEND", "torch")
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # raised inside Keras
W = np.random.default_rng(0).standard_normal((5, 4)) * np.array([0.1, 1.0, 5.0, 1.0])

REGULARIZERS: list[tuple[str, dict[str, Any]]] = [
    ("L1", {"l1": 0.1}),
    ("L2", {"l2": 0.1}),
    ("L1L2", {"l1": 0.1, "l2": 0.2}),
    ("OrthogonalRegularizer", {"factor": 0.3}),
    ("OrthogonalRegularizer", {"factor": 0.3, "mode": "columns"}),
]
CONSTRAINTS: list[tuple[str, dict[str, Any]]] = [
    ("MaxNorm", {"max_value": 1.0}),
    ("MaxNorm", {"max_value": 1.0, "axis": 1}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("MinMaxNorm", {"min_value": 0.5, "max_value": 1.5, "rate": 0.7}),
]


@pytest.mark.parametrize(("name", "options"), REGULARIZERS)
def test_regularizers(name: str, options: dict[str, Any]) -> None:
    keras = pytest.importorskip("keras")
    torch = pytest.importorskip("torch")
    w = torch.tensor(W, requires_grad=True)
    expected = getattr(keras.regularizers, name)(**options)(w)
    expected.backward()
    value, slope = value_and_grad(getattr(regularizers, name)(**options))(W)
    assert float(value) == pytest.approx(expected.item(), rel=1e-6)
    np.testing.assert_allclose(slope, w.grad.numpy(), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("name", "options"), CONSTRAINTS)
def test_constraints(name: str, options: dict[str, Any]) -> None:
    keras = pytest.importorskip("keras")
    torch = pytest.importorskip("torch")
    expected = getattr(keras.constraints, name)(**options)(torch.tensor(W))
    np.testing.assert_allclose(getattr(constraints, name)(**options)(W), expected.numpy(), rtol=1e-6)


def test_activity_regularization() -> None:
    keras = pytest.importorskip("keras")
    from portanet.variables import collect_losses

    oracle = keras.layers.ActivityRegularization(0.1, 0.2)
    oracle(keras.ops.convert_to_tensor(W.astype("float32")))
    with collect_losses() as losses:
        layers.ActivityRegularization(0.1, 0.2)(W.astype("float32"))
    assert float(losses[0]) == pytest.approx(float(oracle.losses[0]), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "options", "shape"),
    [
        ("Dropout", {"rate": 0.3}, (400, 300)),
        ("AlphaDropout", {"rate": 0.3}, (400, 300)),
        ("GaussianDropout", {"rate": 0.3}, (400, 300)),
        ("GaussianNoise", {"stddev": 0.4}, (400, 300)),
        ("SpatialDropout1D", {"rate": 0.3}, (300, 4, 100)),
    ],
)
def test_noise_has_the_distribution_of_keras(name: str, options: dict[str, Any], shape: tuple[int, ...]) -> None:
    """Mean, deviation and quantiles of the result for the same input; the draws themselves differ."""
    keras = pytest.importorskip("keras")
    x = np.full(shape, 2.0, dtype="float32")
    oracle = getattr(keras.layers, name)(**options, seed=1)
    expected = keras.ops.convert_to_numpy(oracle(keras.ops.convert_to_tensor(x), training=True))
    result = getattr(layers, name)(**options, seed=1)(x, training=True)
    assert result.mean() == pytest.approx(expected.mean(), abs=0.03)
    assert result.std() == pytest.approx(expected.std(), abs=0.03)
    quantiles = np.linspace(0.05, 0.95, 10)
    np.testing.assert_allclose(np.quantile(result, quantiles), np.quantile(expected, quantiles), atol=0.06)
