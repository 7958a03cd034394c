"""Metrics against Keras and scikit-learn, over uneven weighted batches."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pytest

from portanet import metrics

torch = pytest.importorskip("torch")
keras = pytest.importorskip("keras")
sklearn = pytest.importorskip("sklearn.metrics")
pytestmark = pytest.mark.skipif(keras.backend.backend() != "torch", reason="Keras runs on another backend here")

RNG = np.random.default_rng(5)
N = 61
TRUTH = RNG.normal(size=(N, 3))
NUMBERS = TRUTH + RNG.normal(size=(N, 3))
P, Q = RNG.dirichlet(np.ones(4), N), RNG.dirichlet(np.ones(4), N)
LABELS, GUESSES = RNG.integers(0, 4, N), RNG.integers(0, 4, N)
HOT = np.eye(4)[LABELS]
BITS = (RNG.random((N, 1)) < 0.4).astype("float64")
SCORES = np.clip(0.5 * BITS + RNG.random((N, 1)) * 0.7, 0.01, 0.99)
WEIGHT = RNG.uniform(0, 2, N)

KERAS: list[tuple[str, Any, Any, dict[str, Any]]] = [
    ("Accuracy", LABELS[:, None].astype("float64"), GUESSES[:, None].astype("float64"), {}),
    ("BinaryAccuracy", BITS, SCORES, {"threshold": 0.6}),
    ("CategoricalAccuracy", HOT, P, {}),
    ("SparseCategoricalAccuracy", LABELS, P, {}),
    ("TopKCategoricalAccuracy", HOT, P, {"k": 2}),
    ("SparseTopKCategoricalAccuracy", LABELS, P, {"k": 3}),
    ("TruePositives", BITS, SCORES, {}),
    ("FalsePositives", BITS, SCORES, {"thresholds": [0.2, 0.7]}),
    ("TrueNegatives", BITS, SCORES, {}),
    ("FalseNegatives", BITS, SCORES, {"thresholds": 0.7}),
    ("Precision", BITS, SCORES, {}),
    ("Precision", HOT, P, {"thresholds": [0.1, 0.3], "class_id": 2}),
    ("Precision", HOT, P, {"top_k": 2}),
    ("Recall", BITS, SCORES, {"thresholds": [0.3, 0.6]}),
    ("Recall", HOT, P, {"top_k": 2}),
    ("AUC", BITS, SCORES, {}),
    ("AUC", BITS, SCORES, {"curve": "PR", "num_thresholds": 50}),
    ("AUC", BITS, SCORES, {"summation_method": "minoring", "thresholds": [0.2, 0.5, 0.9]}),
    ("AUC", BITS, SCORES, {"curve": "PR", "summation_method": "majoring"}),
    ("AUC", BITS, 8 * SCORES - 4, {"from_logits": True}),
    ("AUC", HOT, P, {"curve": "PRGAIN", "num_thresholds": 20}),
    ("AUC", HOT, P, {"curve": "prgain", "summation_method": "minoring", "multi_label": True}),
    ("AUC", HOT, P, {"curve": "PR", "multi_label": True, "num_labels": 4, "label_weights": [1.0, 0.5, 0.0, 2.0]}),
    ("AUC", HOT, P, {"label_weights": [1.0, 0.5, 0.0, 2.0]}),
    (
        "AUC",
        HOT,
        8 * P - 4,
        {"multi_label": True, "from_logits": True, "num_thresholds": None, "thresholds": [0.4, 0.2]},
    ),
    ("F1Score", HOT, P, {}),
    ("F1Score", HOT, P, {"average": "micro", "threshold": 0.3}),
    ("FBetaScore", HOT, P, {"average": "macro", "beta": 2.0}),
    ("FBetaScore", HOT, P, {"average": "weighted", "beta": 0.5}),
    ("IoU", LABELS, GUESSES, {"num_classes": 4, "target_class_ids": [0, 3]}),
    ("MeanIoU", LABELS, GUESSES, {"num_classes": 4}),
    ("MeanIoU", HOT, P, {"num_classes": 4, "sparse_y_true": False, "sparse_y_pred": False, "dtype": "int32"}),
    ("IoU", LABELS, P, {"num_classes": 4, "target_class_ids": [1], "sparse_y_pred": False}),
    ("R2Score", TRUTH, NUMBERS, {}),
    ("R2Score", TRUTH, NUMBERS, {"class_aggregation": "variance_weighted_average"}),
    ("R2Score", TRUTH[:, :1], NUMBERS[:, :1], {"num_regressors": 2}),
    ("RootMeanSquaredError", TRUTH, NUMBERS, {}),
    ("MeanSquaredError", TRUTH, NUMBERS, {}),
    ("MeanAbsoluteError", TRUTH, NUMBERS, {}),
    ("MeanAbsolutePercentageError", TRUTH, NUMBERS, {}),
    ("MeanSquaredLogarithmicError", np.abs(TRUTH), np.abs(NUMBERS), {}),
    ("LogCoshError", TRUTH, NUMBERS, {}),
    ("CosineSimilarity", TRUTH, NUMBERS, {}),
    ("BinaryCrossentropy", BITS, SCORES, {"label_smoothing": 0.1}),
    ("CategoricalCrossentropy", HOT, P, {}),
    ("SparseCategoricalCrossentropy", LABELS, P, {}),
    ("KLDivergence", Q, P, {}),
    ("Poisson", np.floor(4 * Q), P, {}),
    ("Hinge", 2 * BITS - 1, SCORES, {}),
    ("SquaredHinge", 2 * BITS - 1, SCORES, {}),
    ("CategoricalHinge", HOT, P, {}),
    ("PrecisionAtRecall", BITS, SCORES, {"recall": 0.7}),
    ("PrecisionAtRecall", HOT, P, {"recall": 0.2, "class_id": 1, "num_thresholds": 20}),
    ("RecallAtPrecision", BITS, SCORES, {"precision": 0.6}),
    ("RecallAtPrecision", BITS, SCORES, {"precision": 0.6, "num_thresholds": 1}),
    ("SensitivityAtSpecificity", BITS, SCORES, {"specificity": 0.8}),
    ("SpecificityAtSensitivity", BITS, SCORES, {"sensitivity": 0.8}),
    ("PearsonCorrelation", TRUTH, NUMBERS, {}),
    ("ConcordanceCorrelation", TRUTH, NUMBERS, {}),
    ("BinaryIoU", BITS, SCORES, {"threshold": 0.4, "target_class_ids": [1]}),
    ("OneHotIoU", HOT, P, {"num_classes": 4, "target_class_ids": [0, 3]}),
    ("OneHotIoU", HOT, GUESSES, {"num_classes": 4, "target_class_ids": [1], "sparse_y_pred": True, "ignore_class": 2}),
    ("OneHotMeanIoU", HOT, P, {"num_classes": 4}),
]


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "y", "p", "options"), KERAS)
def test_keras(name: str, y: Any, p: Any, options: dict[str, Any], weighted: bool) -> None:
    ours, theirs = getattr(metrics, name)(**options), getattr(keras.metrics, name)(**options)
    for part in (slice(0, 10), slice(10, 50), slice(50, N)):
        weight = WEIGHT[part] if weighted else None
        if weighted and "IoU" in name:  # Keras casts these weights to integers
            weight = np.ceil(weight)
        ours.update_state(y[part], p[part], weight)
        theirs.update_state(
            torch.tensor(y[part]),
            torch.tensor(p[part], dtype=torch.float32 if p.dtype.kind == "f" else None),
            None if weight is None else torch.tensor(weight, dtype=torch.int32 if "IoU" in name else torch.float32),
        )
    np.testing.assert_allclose(ours.result(), theirs.result().numpy(), rtol=1e-4, atol=1e-5)
    assert ours.name == re.sub(r"_\d+$", "", theirs.name)  # Keras counts the instances of a class


EDGES = np.asarray([[0.5], [0.5], [0.2], [0.8]])
HALF = np.asarray([[1.0], [0.0], [1.0], [0.0]])
TIES = np.asarray([[0.3, 0.3, 0.3], [0.3, 0.3, 0.3], [0.2, 0.5, 0.5]])
SPECIAL: list[tuple[str, Any, Any, dict[str, Any]]] = [
    *((name, HALF, EDGES, {}) for name in ("BinaryAccuracy", "Precision", "Recall", "AUC", "FalsePositives")),
    ("AUC", HALF, EDGES, {"thresholds": [0.2, 0.5, 0.8]}),
    ("AUC", HALF, EDGES, {"thresholds": [0.2, 0.5, 0.8], "curve": "PR"}),
    ("AUC", HALF, EDGES, {"num_thresholds": 2}),
    ("AUC", HALF, EDGES, {"num_thresholds": 3, "summation_method": "majoring"}),
    ("AUC", HALF, HALF[::-1], {}),
    ("Precision", HALF, EDGES, {"thresholds": [0.0, 0.5, 1.0]}),
    ("Recall", HALF, EDGES, {"thresholds": [0.2, 0.5, 0.8]}),
    ("F1Score", np.eye(3), TIES, {"threshold": 0.5}),
    ("F1Score", np.eye(3), TIES, {}),
    ("F1Score", np.eye(3), 0 * TIES, {}),
    ("FBetaScore", np.eye(3)[[0, 0, 1]], TIES, {"average": "weighted", "beta": 2.0}),
    ("SparseTopKCategoricalAccuracy", np.asarray([0, 1, 2]), TIES, {"k": 1}),
    ("TopKCategoricalAccuracy", np.eye(3), TIES, {"k": 2}),
    ("CategoricalAccuracy", np.eye(3), TIES, {}),
    ("Precision", np.eye(3), TIES, {"top_k": 2, "thresholds": 0.3}),
    ("Recall", np.eye(3), TIES, {"top_k": 1}),
    ("R2Score", np.ones((2, 1)), np.asarray([[1.0], [2.0]]), {}),
    ("R2Score", np.asarray([[1.0], [2.0], [3.0]]), np.asarray([[1.0], [2.0], [4.0]]), {"num_regressors": 2}),
    ("MeanIoU", np.asarray([0, 0]), np.asarray([0, 0]), {"num_classes": 3}),
    ("MeanIoU", np.asarray([0, 255]), np.asarray([0, 1]), {"num_classes": 2, "ignore_class": 255}),
]


@pytest.mark.filterwarnings("ignore::UserWarning")  # of Keras
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("name", "y", "p", "options"), SPECIAL)
def test_special_values(name: str, y: Any, p: Any, options: dict[str, Any], weighted: bool) -> None:
    ours, theirs = getattr(metrics, name)(**options), getattr(keras.metrics, name)(**options)
    weight = np.zeros(len(y)) if weighted and name != "R2Score" else None  # whose NaN is 0 here
    ours.update_state(y, p.astype("float32") if p.dtype.kind == "f" else p, weight)
    theirs.update_state(torch.tensor(y), torch.tensor(p.copy(), dtype=torch.float32), weight)
    np.testing.assert_allclose(ours.result(), theirs.result().numpy(), rtol=1e-5, atol=1e-6)


def test_scikit_learn() -> None:
    guess = P.argmax(1)
    cases = [
        (metrics.ConfusionMatrix(4)(LABELS, P, WEIGHT), sklearn.confusion_matrix(LABELS, guess, sample_weight=WEIGHT)),
        (metrics.F1Score("macro")(HOT, P, WEIGHT),
         sklearn.f1_score(LABELS, guess, average="macro", sample_weight=WEIGHT)),
        (metrics.FBetaScore("weighted", 2.0)(HOT, P),
         sklearn.fbeta_score(LABELS, guess, beta=2.0, average="weighted")),
        (metrics.SparseTopKCategoricalAccuracy(2)(LABELS, P), sklearn.top_k_accuracy_score(LABELS, P, k=2)),
        (metrics.R2Score(None)(TRUTH, NUMBERS, WEIGHT),
         sklearn.r2_score(TRUTH, NUMBERS, sample_weight=WEIGHT, multioutput="raw_values")),
        (metrics.RootMeanSquaredError()(TRUTH, NUMBERS), np.sqrt(sklearn.mean_squared_error(TRUTH, NUMBERS))),
        (metrics.Precision()(BITS, SCORES), sklearn.precision_score(BITS, SCORES > 0.5)),
        (metrics.Recall()(BITS, SCORES), sklearn.recall_score(BITS, SCORES > 0.5)),
        (metrics.MeanIoU(4)(LABELS, GUESSES), sklearn.jaccard_score(LABELS, GUESSES, average="macro")),
        (metrics.AUC(thresholds=sorted(SCORES[:, 0]))(BITS, SCORES), sklearn.roc_auc_score(BITS, SCORES)),
        (metrics.Perplexity()(LABELS, P), np.exp(sklearn.log_loss(LABELS, P))),
    ]  # fmt: skip
    for ours, theirs in cases:
        np.testing.assert_allclose(ours, theirs, rtol=1e-6)


def test_every_metric_of_keras_is_here() -> None:
    known = {kind.__name__ for kind in vars(keras.metrics).values() if isinstance(kind, type)}
    assert known <= set(vars(metrics))


def test_the_adjusted_score_of_several_outputs_counts_targets() -> None:
    scores, rows = sklearn.r2_score(TRUTH, NUMBERS, multioutput="raw_values"), len(TRUTH)
    expected = 1 - (1 - scores) * (rows - 1) / (rows - 3)
    np.testing.assert_allclose(metrics.R2Score(None, num_regressors=2)(TRUTH, NUMBERS), expected, rtol=1e-6)


def test_weights_of_columns_and_a_wrapped_function() -> None:
    def distance(y_true: Any, y_pred: Any, power: int) -> Any:
        return abs(y_true - y_pred) ** power

    weight = np.asarray([[1.0, 0.0, 2.0]])
    for ours, theirs, given, weights in (
        (metrics.MeanMetricWrapper(distance, power=3), keras.metrics.MeanMetricWrapper(distance, power=3), 2, weight),
        (metrics.MeanSquaredError(), keras.metrics.MeanSquaredError(), 2, WEIGHT),
        (metrics.Mean(), keras.metrics.Mean(), 1, weight),
    ):
        arrays = (TRUTH, NUMBERS)[:given]
        expected = theirs(*map(torch.tensor, arrays), sample_weight=torch.tensor(weights))
        np.testing.assert_allclose(ours(*arrays, sample_weight=weights), expected.numpy(), rtol=1e-5)


@pytest.mark.parametrize(("name", "y", "p", "options"), KERAS[::3])
def test_variables_are_those_of_keras(name: str, y: Any, p: Any, options: dict[str, Any]) -> None:
    ours, theirs = getattr(metrics, name)(**options), getattr(keras.metrics, name)(**options)
    ours.update_state(y, p)
    theirs.update_state(torch.tensor(y), torch.tensor(p))
    several = [v for v in theirs.variables if v.name != "intermediate_weights"]  # which follow from the others
    assert [v.name for v in ours.variables] == [v.name for v in several]
    for mine, their in zip(ours.variables, several, strict=True):
        if mine.name != "num_samples":  # of which Keras counts the elements
            np.testing.assert_allclose(mine.numpy(), their.value.numpy(), rtol=1e-4, atol=1e-5)
