from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import losses, metrics
from portanet.backends import Backend
from portanet.metrics import METRICS
from tests.support import asarray, to_numpy

RNG = np.random.default_rng(0)
N = 23
NUMBERS, TRUTH = RNG.normal(size=(N, 3)), RNG.normal(size=(N, 3))
P, Q = RNG.dirichlet(np.ones(4), N), RNG.dirichlet(np.ones(4), N)
LABELS = RNG.integers(0, 4, N)
HOT = np.eye(4)[LABELS]
BITS = (RNG.random((N, 1)) < 0.4).astype("float64")
SCORES = RNG.random((N, 1))

CASES: dict[str, tuple[Any, Any, Any]] = {
    "wrapper": (metrics.MeanMetricWrapper(losses.huber, delta=0.5), TRUTH, NUMBERS),
    "accuracy": (metrics.Accuracy(), LABELS.astype("float64"), RNG.integers(0, 4, N).astype("float64")),
    "binary_accuracy": (metrics.BinaryAccuracy(threshold=0.4), BITS, SCORES),
    "categorical_accuracy": (metrics.CategoricalAccuracy(), HOT, P),
    "sparse_categorical_accuracy": (metrics.SparseCategoricalAccuracy(), LABELS, P),
    "top_k": (metrics.TopKCategoricalAccuracy(2), HOT, P),
    "sparse_top_k": (metrics.SparseTopKCategoricalAccuracy(2), LABELS, P),
    "precision": (metrics.Precision(), BITS, SCORES),
    "precision at several": (metrics.Precision([0.2, 0.5]), BITS, SCORES),
    "precision top_k": (metrics.Precision(top_k=2), HOT, P),
    "recall of a class": (metrics.Recall(class_id=1), HOT, P),
    "true_positives": (metrics.TruePositives(), BITS, SCORES),
    "false_positives": (metrics.FalsePositives(), BITS, SCORES),
    "true_negatives": (metrics.TrueNegatives(), BITS, SCORES),
    "false_negatives": (metrics.FalseNegatives([0.3, 0.6]), BITS, SCORES),
    "auc": (metrics.AUC(), BITS, SCORES),
    "auc pr": (metrics.AUC(curve="PR"), BITS, SCORES),
    "auc of labels": (metrics.AUC(multi_label=True, label_weights=[1.0, 2.0, 0.5, 1.0]), HOT, P),
    "auc prgain": (metrics.AUC(curve="PRGAIN"), BITS, SCORES),
    "f1": (metrics.F1Score(), HOT, P),
    "fbeta": (metrics.FBetaScore("weighted", 2.0, 0.3), HOT, P),
    "confusion_matrix": (metrics.ConfusionMatrix(4), LABELS, P),
    "iou": (metrics.IoU(4, [0, 2]), LABELS, P),
    "mean_iou": (metrics.MeanIoU(4, ignore_class=3), LABELS, P),
    "mean_iou of scores": (metrics.MeanIoU(4, sparse_y_true=False, sparse_y_pred=False), HOT, P),
    "binary_iou": (metrics.BinaryIoU(threshold=0.4), BITS, SCORES),
    "one_hot_iou": (metrics.OneHotIoU(4, [0, 2], ignore_class=3), HOT, P),
    "one_hot_mean_iou": (metrics.OneHotMeanIoU(4), HOT, P),
    "precision_at_recall": (metrics.PrecisionAtRecall(0.5), BITS, SCORES),
    "recall_at_precision": (metrics.RecallAtPrecision(0.5), BITS, SCORES),
    "sensitivity_at_specificity": (metrics.SensitivityAtSpecificity(0.5, class_id=1), HOT, P),
    "specificity_at_sensitivity": (metrics.SpecificityAtSensitivity(0.5), BITS, SCORES),
    "pearson": (metrics.PearsonCorrelation(), TRUTH, NUMBERS),
    "concordance": (metrics.ConcordanceCorrelation(), TRUTH, NUMBERS),
    "r2": (metrics.R2Score(), TRUTH, NUMBERS),
    "rmse": (metrics.RootMeanSquaredError(), TRUTH, NUMBERS),
    "mse": (metrics.MeanSquaredError(), TRUTH, NUMBERS),
    "mae": (metrics.MeanAbsoluteError(), TRUTH, NUMBERS),
    "mape": (metrics.MeanAbsolutePercentageError(), TRUTH, NUMBERS),
    "msle": (metrics.MeanSquaredLogarithmicError(), np.abs(TRUTH), np.abs(NUMBERS)),
    "log_cosh": (metrics.LogCoshError(), TRUTH, NUMBERS),
    "cosine_similarity": (metrics.CosineSimilarity(), TRUTH, NUMBERS),
    "binary_crossentropy": (metrics.BinaryCrossentropy(), BITS, SCORES),
    "categorical_crossentropy": (metrics.CategoricalCrossentropy(), HOT, P),
    "sparse_categorical_crossentropy": (metrics.SparseCategoricalCrossentropy(ignore_class=1), LABELS, P),
    "perplexity": (metrics.Perplexity(), LABELS, P),
    "kl_divergence": (metrics.KLDivergence(), Q, P),
    "poisson": (metrics.Poisson(), np.floor(4 * Q), P),
    "hinge": (metrics.Hinge(), 2 * BITS - 1, SCORES),
    "squared_hinge": (metrics.SquaredHinge(), 2 * BITS - 1, SCORES),
    "categorical_hinge": (metrics.CategoricalHinge(), HOT, P),
}


def arrays(name: str) -> tuple[Any, Any, Any]:
    metric, y, p = CASES[name]
    fresh = type(metric).from_config(metric.get_config())
    return fresh, asarray(y, "float32") if y.dtype.kind == "f" else asarray(y), asarray(p, "float32")


@pytest.mark.parametrize("name", CASES)
def test_uneven_batches_amount_to_the_whole(xp: Any, name: str) -> None:
    metric, y, p = arrays(name)
    whole = metric(y, p)
    metric.reset_state()
    for start, stop in ((0, 7), (7, 8), (8, 8 + 15)):
        metric.update_state(y[start:stop, ...], p[start:stop, ...])
    np.testing.assert_allclose(metric.result(), whole, rtol=1e-5)
    host, hy, hp = CASES[name]
    np.testing.assert_allclose(whole, type(host).from_config(host.get_config())(hy, hp), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_weight_two_is_twice_the_example(xp: Any, name: str) -> None:
    metric, y, p = arrays(name)
    order = np.concatenate([np.arange(N), np.arange(0, N, 3)])
    weight = np.ones(N)
    weight[::3] = 2
    weighted = metric(y, p, asarray(weight))
    metric.reset_state()
    indices = asarray(order)
    np.testing.assert_allclose(
        weighted, metric(xp.take(y, indices, axis=0), xp.take(p, indices, axis=0)), rtol=1e-5, atol=1e-6
    )


@pytest.mark.parametrize("name", CASES)
def test_statistics_are_pure_and_stay_on_the_device(backend: Backend, name: str) -> None:
    metric, y, p = arrays(name)
    totals = backend.compile(metric.statistics)(y, p)
    assert all(backend.owns(t) for t in totals)
    figure = metric.from_statistics(*totals)
    assert backend.owns(figure)
    np.testing.assert_allclose(to_numpy(figure), metric(y, p), rtol=1e-4, atol=1e-5)


def test_every_metric_is_in_the_cases() -> None:
    assert set(METRICS.values()) - {type(metric) for metric, _, _ in CASES.values()} == set()


def test_counts_of_many_examples_are_exact() -> None:
    metric = metrics.BinaryAccuracy()
    ones = np.ones((2**20, 1), dtype="float32")
    for _ in range(20):  # more than 2^24, where adding 1 in float32 changes nothing
        metric.update_state(ones, ones)
    metric.update_state(ones, 0 * ones)
    assert metric.result() == 20 / 21


def test_r2_of_numbers_far_from_zero(backend: Backend) -> None:
    y, p = TRUTH[:, 0] + 1000, TRUTH[:, 0] + 1000 + 0.1 * NUMBERS[:, 0]
    y, p = y.astype("float32"), p.astype("float32")
    expected = 1 - ((y - p).astype("f8") ** 2).sum() / ((y - y.astype("f8").mean()) ** 2).sum()
    assert metrics.R2Score()(asarray(y), asarray(p)) == pytest.approx(expected, rel=1e-4)


def test_mean_and_sum(xp: Any) -> None:
    mean, total = metrics.Mean(), metrics.Sum()
    for metric in (mean, total):
        metric.update_state(asarray([1.0, 2.0]), asarray([1.0, 3.0]))
        metric.update_state(asarray([[4.0]]))
    assert mean.result() == pytest.approx(11 / 5)
    assert total.result() == pytest.approx(11)


def test_empty_classes_count_zero_and_do_not_warn(xp: Any) -> None:
    zeros = asarray(np.zeros((4, 1)))
    assert metrics.Precision()(zeros, zeros) == 0
    assert metrics.Recall()(zeros, zeros) == 0
    assert metrics.AUC()(zeros, zeros) == 0
    assert metrics.AUC(curve="PR")(zeros, zeros) == 0
    np.testing.assert_array_equal(metrics.F1Score()(asarray(np.eye(3)[[0, 0]]), asarray(np.eye(3)[[0, 0]])), [1, 0, 0])


def test_accuracy_suits_the_loss() -> None:
    cases = [
        (losses.SparseCategoricalCrossentropy(), (None, 3), metrics.SparseCategoricalAccuracy),
        (losses.MulticlassSVM(), (None, 3), metrics.SparseCategoricalAccuracy),
        (losses.CategoricalCrossentropy(), (None, 3), metrics.CategoricalAccuracy),
        (losses.BinaryCrossentropy(), (None, 3), metrics.BinaryAccuracy),
        (losses.BinaryFocalCrossentropy(), (None, 3), metrics.BinaryAccuracy),
        (losses.MeanSquaredError(), (None, 1), metrics.BinaryAccuracy),
    ]
    for loss, shape, kind in cases:
        result = metrics.get("accuracy", loss, shape)
        assert type(result) is kind
        assert result.name == "accuracy"
    assert type(metrics.get("mae")) is metrics.MeanAbsoluteError
    assert metrics.get(lambda y_true, y_pred: y_pred[:, 0])(np.zeros((2, 1)), np.ones((2, 1))) == 1


FLAT, ROWS = np.zeros(4), np.full((4, 3), 0.3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: metrics.BinaryAccuracy()(np.zeros((3, 4)), ROWS), r"'binary_accuracy' compares.*Received: y_true of"),
        (lambda: metrics.Accuracy()(FLAT, ROWS), r"same shape\. Received: y_true of shape \(4,\), y_pred of shape"),
        (
            lambda: metrics.CategoricalAccuracy()(FLAT, ROWS),
            r"use 'sparse_categorical_accuracy'\. Received: y_true",
        ),
        (
            lambda: metrics.SparseCategoricalAccuracy()(ROWS, ROWS),
            r"one class number per row.*Received: y_true of",
        ),
        (lambda: metrics.TopKCategoricalAccuracy()(FLAT, ROWS), r"use 'sparse_top_k_categorical_accuracy'"),
        (lambda: metrics.SparseTopKCategoricalAccuracy(0), r"`k` of SparseTopKCategoricalAccuracy must be a positive "),
        (lambda: metrics.BinaryAccuracy(threshold="a"), r"`threshold` of BinaryAccuracy must be a finite number."),
        (lambda: metrics.Precision(thresholds=[0.5, 2]), r"`thresholds` of Precision must be a number in \[0, 1\]."),
        (lambda: metrics.Recall(top_k=0), r"`top_k` of Recall must be a positive integer. Received: top_k=0"),
        (lambda: metrics.Recall(class_id=3)(ROWS, ROWS), r"is not a column.*Received: class_id=3 and y_pred of shape"),
        (
            lambda: metrics.AUC(curve="rok"),
            r"`curve` of AUC must be one of 'ROC', 'PR', 'PRGAIN'. Received: curve='ROK'",
        ),
        (lambda: metrics.AUC(num_labels=2), r"`num_labels` of AUC must be None without multi_label=True. Received:"),
        (lambda: metrics.AUC(multi_label=True)(ROWS[0], ROWS[0]), r"predictions of shape \(batch, labels\). Received:"),
        (lambda: metrics.AUC(label_weights=[1.0])(ROWS, ROWS), r"predictions of shape \(batch, 1\). Received:"),
        (lambda: metrics.AUC(num_thresholds=1), r"`num_thresholds` of AUC must be an integer of at least 2. Received:"),
        (
            lambda: metrics.AUC(summation_method="mean"),
            r"`summation_method` of AUC must be one of 'interpolation', 'minoring', 'majoring'. Received: summation_me",
        ),
        (lambda: metrics.AUC(thresholds=[2.0]), r"`thresholds` of AUC must be a number in \[0, 1\]. Received:"),
        (lambda: metrics.F1Score("mean"), r"`average` of F1Score must be one of None, 'micro', 'macro', 'weighted'."),
        (lambda: metrics.FBetaScore(beta=0), r"`beta` of FBetaScore must be a positive number. Received: beta=0"),
        (lambda: metrics.F1Score()(FLAT, ROWS), r"shape \(batch, classes\)\. Received: y_true of shape \(4,\)"),
        (lambda: metrics.ConfusionMatrix(1), r"`num_classes` of ConfusionMatrix must be an integer of at least 2."),
        (
            lambda: metrics.ConfusionMatrix(3)(np.zeros(3), ROWS),
            r"class numbers of the same shape, or rows of 3 scores",
        ),
        (lambda: metrics.IoU(3, [3]), r"must be a list of classes from 0 to 2\. Received: target_class_ids=\[3\]"),
        (lambda: metrics.R2Score("mean"), "`class_aggregation` .* one of .*Received: class_aggregation='mean'"),
        (
            lambda: metrics.MeanSquaredError()(np.zeros((4, 2)), ROWS),
            r"same shape\. Received: y_true of shape \(4, 2\)",
        ),
        (lambda: metrics.Precision()(ROWS, ROWS, np.ones(3)), r"Metric 'precision' needs one weight per example"),
        (lambda: metrics.R2Score().result(), r"Metric 'r2_score' has seen no data; call update_state"),
        (lambda: metrics.get("acuracy"), r"Unknown metric\. Did you mean 'binary_accuracy'|Unknown metric"),
    ],
)
def test_bad_input(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_every_class_counts_for_any_integer_type(xp: Any) -> None:
    metric, y, p = arrays("one_hot_mean_iou")
    result = metrics.OneHotMeanIoU(np.int64(4))(y, p)
    np.testing.assert_array_equal(result, metric(y, p))
