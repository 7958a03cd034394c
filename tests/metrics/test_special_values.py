"""Metrics at their edges: scores equal to the threshold, ties, equal targets, weights of 0, one class, no examples."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from portanet import metrics
from portanet.metrics import Metric
from portanet.metrics.base import MeanMetric
from tests.metrics.test_metrics import CASES
from tests.support import asarray

BITS = np.asarray([[1.0], [0.0], [1.0], [0.0]])
HALVES = np.asarray([[0.5], [0.5], [0.25], [0.75]])
TIES = np.asarray([[0.25, 0.25, 0.25], [0.25, 0.25, 0.25], [0.125, 0.5, 0.5]])


def value(metric: Metric, y: Any, p: Any, weight: Any = None) -> Any:
    arrays = [None if a is None else asarray(np.asarray(a)) for a in (y, p, weight)]
    return metric(arrays[0], arrays[1], arrays[2])


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        (metrics.BinaryAccuracy(), 0.25),
        (metrics.BinaryAccuracy(threshold=0.25), 0.25),
        (metrics.BinaryAccuracy(threshold=0.75), 0.5),
        (metrics.BinaryAccuracy(threshold=0.0), 0.5),  # of logits
        (metrics.TruePositives(), 0.0),
        (metrics.FalsePositives(), 1.0),
        (metrics.TrueNegatives(), 1.0),
        (metrics.FalseNegatives(), 2.0),
        (metrics.TruePositives(0.25), 1.0),
        (metrics.Precision([0.0, 0.25, 0.5, 0.75, 1.0]), [0.5, 1 / 3, 0.0, 0.0, 0.0]),
        (metrics.Recall([0.0, 0.25, 0.5, 0.75, 1.0]), [1.0, 0.5, 0.0, 0.0, 0.0]),
        (metrics.Precision(0.5), 0.0),
        (metrics.AUC(thresholds=[0.25, 0.5, 0.75]), 0.125),
        (metrics.AUC(num_thresholds=3), 0.25),
        (metrics.AUC(num_thresholds=2), 0.5),
        (metrics.AUC(num_thresholds=2, curve="PR"), 0.5),
    ],
    ids=lambda case: getattr(case, "name", ""),
)
def test_scores_equal_to_the_threshold_are_not_above(xp: Any, metric: Metric, expected: Any) -> None:
    metric.reset_state()
    np.testing.assert_allclose(value(metric, BITS, HALVES), expected, rtol=1e-6)


@pytest.mark.parametrize("p", [[[0.0], [1.0], [1.0], [0.0]], [[0.0]] * 4, [[1.0]] * 4])
@pytest.mark.parametrize("curve", ["ROC", "PR"])
def test_auc_of_scores_at_the_ends(xp: Any, curve: str, p: Any) -> None:
    """Half of either class is above, or all, or nothing: the area is that of guessing."""
    assert value(metrics.AUC(curve=curve), BITS, p) == pytest.approx(0.5)
    assert value(metrics.AUC(curve=curve), BITS, BITS) == pytest.approx(1.0)


@pytest.mark.parametrize("summation", ["interpolation", "minoring", "majoring"])
def test_auc_of_one_class(xp: Any, summation: str) -> None:
    p = [[0.1], [0.6], [0.8]]
    assert value(metrics.AUC(summation_method=summation), np.ones((3, 1)), p) == 0
    assert value(metrics.AUC(summation_method=summation), np.zeros((3, 1)), p) == 0
    pr = metrics.AUC(curve="PR", summation_method=summation)
    assert value(pr, np.zeros((3, 1)), p) == 0


def test_auc_by_hand(xp: Any) -> None:
    """(false-positive rate, recall) and (recall, precision) at every threshold, with rectangles and trapezoids."""
    y, p = [1.0, 0.0, 1.0, 0.0, 1.0], [0.9, 0.6, 0.6, 0.3, 0.1]
    options = {"thresholds": [0.8, 0.5, 0.2]}
    points = np.asarray([(1, 1), (1, 2 / 3), (0.5, 2 / 3), (0, 1 / 3), (0, 0)])
    precision = np.asarray([(1, 3 / 5), (2 / 3, 2 / 4), (2 / 3, 2 / 3), (1 / 3, 1), (0, 0)])
    for curve, (x, height) in (("ROC", points.T), ("PR", precision.T)):
        width = x[:-1] - x[1:]
        low, high = np.minimum(height[:-1], height[1:]), np.maximum(height[:-1], height[1:])
        expected = {"minoring": (width * low).sum(), "majoring": (width * high).sum()}
        if curve == "ROC":
            expected["interpolation"] = (width * (low + high) / 2).sum()
        for method, area in expected.items():
            auc = metrics.AUC(curve=curve, summation_method=method, **options)
            assert value(auc, y, p) == pytest.approx(area, rel=1e-6)


def test_targets_above_a_half_are_positive(xp: Any) -> None:
    y, p = [[0.5], [0.75], [0.25], [1.0]], [[0.9], [0.9], [0.9], [0.1]]
    assert value(metrics.Precision(), y, p) == pytest.approx(1 / 3)
    assert value(metrics.Recall(), y, p) == pytest.approx(1 / 2)
    assert value(metrics.BinaryAccuracy(), y, p) == pytest.approx(1 / 4)
    assert value(metrics.AUC(num_thresholds=3), y, p) == pytest.approx(0.25)
    rows = np.concatenate([y, 1 - np.asarray(y)], axis=1)
    scores = np.concatenate([p, 1 - np.asarray(p)], axis=1)
    np.testing.assert_allclose(value(metrics.F1Score(threshold=0.5), rows, scores), [0.4, 0.0], rtol=1e-6)


def test_ties_in_the_largest_scores(xp: Any) -> None:
    labels, hot = np.asarray([0, 1, 2]), np.eye(3)
    for k in (1, 2, 3, 4):
        assert value(metrics.SparseTopKCategoricalAccuracy(k), labels, TIES) == 1
        assert value(metrics.TopKCategoricalAccuracy(k), hot, TIES) == 1
    assert value(metrics.SparseTopKCategoricalAccuracy(2), [0, 0, 0], TIES) == pytest.approx(2 / 3)
    assert value(metrics.SparseCategoricalAccuracy(), labels, TIES) == pytest.approx(1 / 3)  # the first of them
    assert value(metrics.CategoricalAccuracy(), hot, TIES) == pytest.approx(1 / 3)
    for k, precision, recall in ((1, 1 / 3, 1 / 3), (2, 1 / 2, 1), (3, 1 / 3, 1)):
        assert value(metrics.Precision(top_k=k), hot, TIES) == pytest.approx(precision)
        assert value(metrics.Recall(top_k=k), hot, TIES) == pytest.approx(recall)
    assert value(metrics.Precision(0.25, top_k=2), hot, TIES) == pytest.approx(1 / 2)
    np.testing.assert_allclose(value(metrics.F1Score(), hot, TIES), [2 / 3, 1 / 2, 1 / 2], rtol=1e-6)
    np.testing.assert_allclose(value(metrics.F1Score(), hot, 0 * TIES), [0, 0, 0])


def test_top_k_of_scores_below_zero(xp: Any) -> None:
    p = [[-3.0, -2.0, -1.0], [-1.0, -2.0, -3.0]]
    assert value(metrics.SparseTopKCategoricalAccuracy(1), [2, 0], p) == 1
    assert value(metrics.SparseTopKCategoricalAccuracy(2), [0, 2], p) == 0
    assert value(metrics.SparseTopKCategoricalAccuracy(2), [1, 1], p) == 1


def test_r2_of_equal_targets(xp: Any) -> None:
    ones, columns = np.ones((3, 1)), np.asarray([[1.0, 1.0], [1.0, 2.0], [1.0, 3.0]])
    guesses = np.asarray([[1.0, 1.0], [2.0, 2.0], [1.0, 4.0]])
    for aggregation in ("uniform_average", "variance_weighted_average"):
        for p in (ones, 2 * ones):
            assert value(metrics.R2Score(aggregation), ones, p) == 0
    assert value(metrics.R2Score("uniform_average"), columns, guesses) == pytest.approx(0.25)
    assert value(metrics.R2Score("variance_weighted_average"), columns, guesses) == pytest.approx(0.5)
    np.testing.assert_allclose(value(metrics.R2Score(None), columns, guesses), [0.0, 0.5], rtol=1e-6)
    assert value(metrics.R2Score(), [[1.0]], [[1.0]]) == 0


@pytest.mark.parametrize(("count", "expected"), [(0, 0.5), (1, 0.0), (2, 0.5), (5, 0.5)])
def test_adjusted_r2_needs_more_targets_than_variables(xp: Any, count: int, expected: float) -> None:
    metric = metrics.R2Score(num_regressors=count)
    assert value(metric, [[1.0], [2.0], [3.0]], [[1.0], [2.0], [4.0]]) == pytest.approx(expected)


def test_cosine_of_zero(xp: Any) -> None:
    assert value(metrics.CosineSimilarity(), [[0.0, 0.0], [0.0, 2.0]], [[1.0, 0.0], [0.0, 1.0]]) == pytest.approx(0.5)


@pytest.mark.parametrize("name", sorted(set(CASES) - {"perplexity"}))
def test_weights_of_zero(xp: Any, name: str) -> None:
    metric, y, p = CASES[name]
    y, p = y[:6], p[:6]
    fresh = type(metric).from_config(metric.get_config())
    assert (np.asarray(value(fresh, y, p, np.zeros(6))) == 0).all()
    weight = np.asarray([1.0, 0.0, 0.5, 0.0, 2.0, 1.0])
    shown = weight > 0
    fresh.reset_state()
    alone = type(metric).from_config(metric.get_config())
    np.testing.assert_allclose(
        value(fresh, y, p, weight), value(alone, y[shown], p[shown], weight[shown]), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("name", [name for name, (metric, _, _) in CASES.items() if isinstance(metric, MeanMetric)])
def test_nan_of_weight_zero_does_not_count_in_means(xp: Any, name: str) -> None:
    metric, y, p = CASES[name]
    y, p = y[:6], np.array(p[:6])
    fresh = type(metric).from_config(metric.get_config())
    expected = value(fresh, y[1:], p[1:])
    fresh.reset_state()
    p[0] = math.nan
    assert value(fresh, y, p, [0.0, 1.0, 1.0, 1.0, 1.0, 1.0]) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_no_examples(xp: Any, name: str) -> None:
    """An empty batch adds nothing."""
    metric, y, p = CASES[name]
    fresh = type(metric).from_config(metric.get_config())
    arrays = [asarray(a) for a in (y, p)]
    fresh.update_state(arrays[0][:0, ...], arrays[1][:0, ...])
    result = np.asarray(fresh.result())
    assert np.isfinite(result).all()
    assert (result == (1 if name == "perplexity" else 0)).all()
    fresh.update_state(arrays[0], arrays[1])
    alone = type(metric).from_config(metric.get_config())
    np.testing.assert_allclose(fresh.result(), value(alone, y, p), rtol=1e-6)


def test_accuracy_of_a_scalar_is_refused(xp: Any) -> None:
    scalar = asarray(1.0)
    with pytest.raises(ValueError, match=r"one class number per row .*y_pred of shape \(\)"):
        metrics.SparseTopKCategoricalAccuracy()(asarray(np.asarray(0)), scalar)


@pytest.mark.parametrize("kind", [metrics.Mean, metrics.Sum])
def test_reductions_of_values(xp: Any, kind: Any) -> None:
    metric = kind()
    metric.update_state(asarray([[1.0, 2.0], [3.0, 5.0]]), asarray([[1.0], [2.0]]))
    assert metric.result() == pytest.approx(19 / 6 if kind is metrics.Mean else 19)
    metric.reset_state()
    metric.update_state(asarray([1.0, 2.0]), asarray([0.0, 0.0]))
    assert metric.result() == 0
    metric.reset_state()
    metric.update_state(asarray(np.asarray([True, False, True])))
    assert metric.result() == pytest.approx(2 / 3 if kind is metrics.Mean else 2)


def test_iou_of_absent_classes(xp: Any) -> None:
    y, p = np.asarray([0, 0, 1]), np.asarray([0, 1, 1])
    assert value(metrics.MeanIoU(4), y, p) == pytest.approx(0.5)
    assert value(metrics.IoU(4, [3]), y, p) == 0
    assert value(metrics.IoU(4, [0, 3]), y, p) == pytest.approx(0.5)
    assert value(metrics.MeanIoU(2), [0, 0], [0, 0]) == 1
    assert value(metrics.MeanIoU(2), [0, 0], [1, 1]) == 0
