"""Losses and metrics that are called on a model's output use the mask it has, as `fit` does and as in Keras."""

from __future__ import annotations

from typing import Any

import pytest

import portanet
from portanet import layers, losses, metrics
from portanet.autodiff import value_and_grad
from portanet.masks import mask_of
from tests.support import asarray, to_numpy

STEPS = [[1, 2, 0, 0], [3, 1, 2, 0]]
TARGETS = [[[1.0], [2.0], [3.0], [4.0]], [[1.0], [2.0], [3.0], [4.0]]]
# Each output is 1.5; of each row, the first two and the first three steps count.
ERRORS = [[0.25, 0.25, 0.0, 0.0], [0.25, 0.25, 2.25, 0.0]]


def outputs() -> Any:
    model = portanet.Sequential(
        [
            layers.Input((4,), dtype="int32"),
            layers.Embedding(5, 3, mask_zero=True, embeddings_initializer=portanet.initializers.Constant(0.5)),
            layers.Dense(1, kernel_initializer="ones"),
        ]
    )
    return model, asarray(STEPS, "int32")


def test_a_loss_leaves_out_masked_steps(xp: Any) -> None:
    model, x = outputs()
    out = model(x)
    y = asarray(TARGETS)
    assert float(losses.MeanSquaredError()(y, out)) == pytest.approx(3.25 / 5)
    assert to_numpy(losses.MeanSquaredError(reduction=None)(y, out)).tolist() == ERRORS
    weight = asarray([[2.0, 1.0, 1.0, 1.0], [1.0, 1.0, 1.0, 1.0]])
    assert float(losses.MeanSquaredError()(y, out, sample_weight=weight)) == pytest.approx(3.5 / 5)
    every = asarray([[True] * 4] * 2, "bool")
    assert float(losses.MeanSquaredError()(y, out, mask=every)) == pytest.approx(18 / 8)


def test_a_metric_leaves_out_masked_steps(xp: Any) -> None:
    model, x = outputs()
    out = model(x)
    y = asarray(TARGETS)
    assert float(metrics.MeanSquaredError()(y, out)) == pytest.approx(3.25 / 5)
    assert float(metrics.MeanAbsoluteError()(y, out, [2.0, 1.0])) == pytest.approx((2 * 1.0 + 2.5) / (2 * 2 + 3))


def test_the_mask_of_an_output_outlives_the_call_that_is_differentiated(xp: Any) -> None:
    model, x = outputs()
    y = asarray(TARGETS)
    kernel = model.layers[1].kernel

    def loss(value: Any) -> Any:
        with portanet.variables.bind({kernel: value}):
            return losses.MeanSquaredError()(y, model(x))

    value, gradient = value_and_grad(loss)(kernel.value)
    assert float(value) == pytest.approx(3.25 / 5)
    # d/dw of the mean of (1.5 - y)^2 over the five steps, by each of three weights: 2 sum(1.5 - y) / 5 * 0.5
    assert to_numpy(gradient)[:, 0] == pytest.approx([-0.3] * 3)


def test_an_array_that_no_layer_returned_has_no_mask(xp: Any) -> None:
    model, x = outputs()
    out = model(x)
    assert mask_of(out) is not None
    assert mask_of(out + 0.0) is None
    assert mask_of([out, x]) is not None
