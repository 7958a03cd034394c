"""Targets and predictions for which a metric has no value are refused, or give NaN where a step cannot look at them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, metrics
from portanet.metrics import Metric
from tests.support import asarray, to_numpy

ROWS = np.asarray([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]])
BITS = np.asarray([[0.9], [0.2]])
SPARSE: list[Metric] = [
    metrics.SparseCategoricalAccuracy(),
    metrics.SparseTopKCategoricalAccuracy(2),
    metrics.SparseCategoricalCrossentropy(),
    metrics.Perplexity(),
    metrics.MeanIoU(3),
    metrics.ConfusionMatrix(3),
]
BINARY: list[Metric] = [metrics.Precision(), metrics.Recall(), metrics.AUC(), metrics.BinaryAccuracy()]


def named(values: list[Metric]) -> Any:
    return pytest.mark.parametrize("metric", values, ids=lambda metric: metric.name)


@named(SPARSE)
@pytest.mark.parametrize("labels", [[0, 3], [-1, 2], [0.5, 1.0]])
def test_labels_are_class_numbers(metric: Metric, labels: list[float], xp: Any) -> None:
    metric.reset_state()
    with pytest.raises(ValueError, match=r"needs (integer )?class numbers .*Received: y"):
        metric(asarray(np.asarray(labels)), asarray(ROWS))
    assert not metric.has_data
    metric(asarray(np.asarray([0, 2])), asarray(ROWS))


@named(BINARY)
@pytest.mark.parametrize("labels", [[[2.0], [1.0]], [[-1.0], [1.0]]])
def test_binary_targets_are_0_or_1(metric: Metric, labels: Any, xp: Any) -> None:
    metric.reset_state()
    with pytest.raises(ValueError, match=r"Metric '\w+' needs values from 0 to 1 as targets\. Received: y from"):
        metric(asarray(np.asarray(labels)), asarray(BITS))


def test_predicted_classes_are_class_numbers(xp: Any) -> None:
    with pytest.raises(ValueError, match=r"of the predictions too, needs class numbers from 0 to 2"):
        metrics.ConfusionMatrix(3)(asarray(np.asarray([0, 1])), asarray(np.asarray([0, 3])))


@pytest.mark.parametrize("predictions", [[[-3.0], [2.0]], [[0.5], [1.5]]])
def test_auc_of_logits(predictions: Any, xp: Any) -> None:
    y, p = asarray(np.asarray([[0.0], [1.0]])), asarray(np.asarray(predictions))
    with pytest.raises(
        ValueError, match=r"needs predictions from 0 to 1; for logits, pass from_logits=True\. Received"
    ):
        metrics.AUC()(y, p)
    assert metrics.AUC(from_logits=True)(y, p) == 1
    auc = metrics.AUC()
    assert np.isnan(auc.from_statistics(*map(to_numpy, auc.statistics(y, p))))


@pytest.mark.parametrize(
    ("metric", "y"),
    [
        (metrics.SparseCategoricalAccuracy(), [0, 0]),
        (metrics.SparseTopKCategoricalAccuracy(3), [0, 0]),
        (metrics.CategoricalAccuracy(), [[1.0, 0.0, 0.0]] * 2),
        (metrics.BinaryAccuracy(), [[0.0] * 3] * 2),
        (metrics.Precision(), [[1.0] * 3] * 2),
        (metrics.AUC(), [[1.0, 0.0, 1.0]] * 2),
        (metrics.F1Score("macro"), [[1.0, 0.0, 0.0]] * 2),
        (metrics.MeanIoU(3), [0, 0]),
    ],
    ids=lambda case: getattr(case, "name", ""),
)
def test_nan_is_no_class(metric: Metric, y: Any, xp: Any) -> None:
    sums = metric.statistics(asarray(np.asarray(y)), asarray(np.full((2, 3), np.nan)))
    assert any(np.isnan(to_numpy(each)).any() for each in sums)


def test_labels_in_fit_and_evaluate(backend: Any) -> None:
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(3, "softmax")])
    model.compile("sgd", "mse", metrics=[metrics.SparseCategoricalAccuracy()])
    objective = model.find_objective()
    with pytest.raises(ValueError, match=r"Metric 'sparse_categorical_accuracy' needs class numbers from 0 to 2"):
        objective.check_targets([np.asarray([0, 3])])
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(1, "tanh", kernel_initializer="ones")])
    model.compile("sgd", "mse", metrics=[metrics.AUC()])
    x = np.asarray([[1.0, 1.0], [-1.0, -1.0]])
    assert math.isnan(model.evaluate(x, np.asarray([[1.0], [0.0]]), verbose=0)[1])
    with pytest.raises(ValueError, match=r"Metric 'auc' needs values from 0 to 1 as targets"):
        model.evaluate(x, np.asarray([[2.0], [0.0]]), verbose=0)


@pytest.mark.parametrize("name", ["Precision", "Recall", "F1Score", "AUC", "TruePositives", "R2Score"])
def test_nan_counts_as_any_outcome_unless_its_weight_is_zero(name: str, xp: Any) -> None:
    y, p = asarray([[0.0], [1.0], [1.0], [0.0]]), asarray([[np.nan], [0.9], [0.2], [0.8]])
    metric = getattr(metrics, name)()
    assert np.isnan(metric(y, p)).all()
    metric.reset_state()
    weighted = metric(y, p, asarray([0.0, 1.0, 1.0, 1.0]))
    metric.reset_state()
    np.testing.assert_allclose(weighted, metric(y[1:, ...], p[1:, ...]), rtol=1e-6)


def test_a_row_with_a_nan_has_no_largest_class(xp: Any) -> None:
    scores = metrics.F1Score()(asarray([[1.0, 0.0], [0.0, 1.0]]), asarray([[np.nan, 0.4], [0.1, 0.9]]))
    assert np.isnan(scores).all()
    scores = metrics.F1Score(threshold=0.5)(asarray([[1.0, 0.0], [0.0, 1.0]]), asarray([[np.nan, 0.4], [0.1, 0.9]]))
    np.testing.assert_array_equal(scores, [np.nan, 1.0])


@pytest.mark.parametrize("dtype", ["float32", "int32"])
def test_iou_of_class_numbers_in_rows_as_long_as_there_are_classes(xp, dtype):
    y, p = asarray([[0, 1], [1, 1]], dtype), asarray([[0, 0], [1, 1]], dtype)
    assert float(metrics.MeanIoU(2)(y, p)) == pytest.approx(7 / 12)  # as of the four numbers
