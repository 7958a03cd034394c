"""Every term of a check by itself: each of these calls is refused, or accepted, because of one term alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import losses, metrics
from portanet.metrics import METRICS
from portanet.metrics.accuracy import FittingAccuracy
from tests.support import asarray, to_numpy

FLAT, ROWS = np.zeros(4), np.full((4, 3), 0.3)


@pytest.mark.parametrize(
    ("metric", "y", "p", "message"),
    [
        (metrics.F1Score(), FLAT, FLAT, r"shape \(batch, classes\)\. Received: y_true of shape \(4,\)"),
        (metrics.F1Score(), ROWS[:, :2], ROWS, r"shape \(batch, classes\)\. Received: y_true of shape \(4, 2\)"),
        (metrics.Recall(class_id=1), FLAT, FLAT, "is not a column of the predictions"),
        (metrics.Recall(class_id=3), ROWS, ROWS, "is not a column of the predictions"),
        (metrics.AUC(), FLAT, FLAT - 0.5, "needs predictions from 0 to 1"),
        (metrics.AUC(), FLAT, FLAT + 1.5, "needs predictions from 0 to 1"),
        (metrics.AUC(), np.zeros((4, 2)), FLAT, "compares targets and predictions of the same shape"),
        (metrics.AUC(), FLAT, np.zeros((4, 2)), "compares targets and predictions of the same shape"),
        (metrics.TopKCategoricalAccuracy(), ROWS[:, :2], ROWS, "one-hot targets of the shape of the predictions"),
        (metrics.SparseTopKCategoricalAccuracy(), np.asarray(0), np.asarray(0.5), "one class number per row"),
        (metrics.SparseTopKCategoricalAccuracy(), ROWS, ROWS, "one class number per row"),
        (metrics.ConfusionMatrix(3), ROWS[:, 0], ROWS[:2], "class numbers of the same shape"),
    ],
)
def test_refused(xp: Any, metric: Any, y: Any, p: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        metric(asarray(y), asarray(p))


@pytest.mark.parametrize("chosen", [[], [3], [-1], [0, 3]])
def test_classes_that_there_are_not(chosen: list[int]) -> None:
    with pytest.raises(ValueError, match=r"`target_class_ids` of IoU must be .*Received: target_class_ids="):
        metrics.IoU(3, chosen)


def test_scores_are_floating_and_have_a_column_per_class(xp: Any) -> None:
    matrix = np.asarray([[1, 0, 0], [0, 2, 0], [0, 0, 0]])
    labels = np.asarray([0, 1, 1])
    for y, p in (
        (labels, np.eye(3)[labels]),
        (np.eye(3)[labels], labels),
        (labels.astype("float64"), labels.astype("float64")),  # of the length of a row of scores
        (labels, labels[:, None][:, 0]),
    ):
        np.testing.assert_array_equal(metrics.ConfusionMatrix(3)(asarray(y), asarray(p)), matrix)
    table = np.asarray([[0, 1, 1], [2, 2, 2]])  # integers of the width of a row of scores
    result = metrics.ConfusionMatrix(3)(asarray(table), asarray(table))
    np.testing.assert_array_equal(result, np.diag([1, 2, 3]))
    wide = np.asarray([[0.0, 1.0], [1.0, 1.0]])  # floats of another width
    np.testing.assert_array_equal(metrics.ConfusionMatrix(3)(asarray(wide), asarray(wide)), np.diag([1, 3, 0]))


NEEDED: dict[Any, dict[str, Any]] = {
    metrics.ConfusionMatrix: {"num_classes": 2},
    metrics.IoU: {"num_classes": 2, "target_class_ids": [0]},
    metrics.MeanIoU: {"num_classes": 2},
}


@pytest.mark.parametrize("kind", sorted(set(METRICS.values()), key=lambda kind: kind.__name__))
def test_names(kind: Any) -> None:
    assert kind(**NEEDED.get(kind, {}), name="mine").name == "mine"
    assert kind(**NEEDED.get(kind, {})).name != "mine"


def test_names_of_functions() -> None:
    def far(y: Any, p: Any) -> Any:
        return p

    assert metrics.FunctionMetric(far).name == "far"
    assert metrics.FunctionMetric(far, name="mine").name == "mine"


@pytest.mark.parametrize(
    ("identifier", "loss", "shape", "kind"),
    [
        ("accuracy", losses.CategoricalCrossentropy(), (), metrics.BinaryAccuracy),
        ("acc", losses.CategoricalCrossentropy(), (None,), metrics.BinaryAccuracy),
        ("acc", losses.CategoricalCrossentropy(), (None, 1), metrics.BinaryAccuracy),
        ("acc", losses.CategoricalCrossentropy(), (None, 2), metrics.CategoricalAccuracy),
        ("acc", losses.BinaryCrossentropy(), (None, 2), metrics.BinaryAccuracy),
        ("acc", losses.SparseCategoricalCrossentropy(), (None, 1), metrics.SparseCategoricalAccuracy),
        ("acc", None, (None, 2), FittingAccuracy),
        (metrics.Accuracy(), losses.BinaryCrossentropy(), (None, 2), metrics.Accuracy),
        ("mse", losses.BinaryCrossentropy(), (None, 2), metrics.MeanSquaredError),
    ],
)
def test_the_accuracy_that_fits(identifier: Any, loss: Any, shape: Any, kind: Any) -> None:
    result = metrics.get(identifier, loss, shape)
    assert type(result) is kind
    if identifier in ("accuracy", "acc"):
        assert result.name == identifier


def test_targets_of_losses_without_their_last_axis(xp: Any) -> None:
    y, p = asarray([1.0, 0.0]), asarray([[0.75], [0.25]])
    assert metrics.BinaryCrossentropy()(y, p) == pytest.approx(-np.log(0.75), rel=1e-5)
    assert metrics.MeanSquaredError()(y, p) == pytest.approx(1 / 16)
    assert metrics.SparseCategoricalCrossentropy()(asarray(np.asarray([0, 0])), p) == pytest.approx(0.0, abs=1e-6)


def test_a_metric_that_was_reset_has_seen_nothing() -> None:
    metric = metrics.MeanSquaredError()
    metric(np.ones((2, 1)), np.zeros((2, 1)))
    metric.reset_state()
    assert not metric.has_data
    assert metric.result() == 0
    assert metric(np.ones((2, 1)), np.ones((2, 1))) == 0


def test_nan_of_a_row_is_that_of_its_value(xp: Any) -> None:
    p = asarray([[np.nan, 0.9], [0.1, 0.9]])
    y = asarray([[0.0, 1.0], [0.0, 1.0]])
    (total, count) = metrics.CategoricalAccuracy().statistics(y, p)
    assert np.isnan(to_numpy(total))
    assert float(count) == 2
    (total, _) = metrics.CategoricalAccuracy().statistics(y, p, asarray([0.0, 1.0]))
    assert float(total) == 1
    (total, _) = metrics.BinaryAccuracy().statistics(y, p, asarray([[0.0, 1.0], [1.0, 1.0]]))
    assert float(total) == 3
