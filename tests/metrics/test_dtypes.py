"""Metrics of integers and booleans have the values of the same numbers as floating-point ones, weighted or not."""

from __future__ import annotations

import numpy as np
import pytest

import portanet
from portanet import metrics

Y = np.asarray([[1, 0], [0, 1], [1, 0], [1, 0]])
P = np.asarray([[1, 0], [1, 0], [1, 0], [0, 1]])
WEIGHT = np.asarray([0.5, 0.25, 0.75, 0.5], dtype="float32")
OTHER_SHAPES = {"CTC", "GaussianNegativeLogLikelihood"}
LOSSES = sorted({cls.__name__ for cls in portanet.losses.LOSSES.values()} - OTHER_SHAPES)
CASES = {
    "accuracy": metrics.Accuracy(),
    "auc": metrics.AUC(),
    "auc_of_logits": metrics.AUC(from_logits=True),
    "binary_accuracy": metrics.BinaryAccuracy(),
    "binary_crossentropy": metrics.BinaryCrossentropy(),
    "categorical_accuracy": metrics.CategoricalAccuracy(),
    "cosine_similarity": metrics.CosineSimilarity(),
    "f1_score": metrics.F1Score(),
    "false_negatives": metrics.FalseNegatives(),
    "mean_absolute_error": metrics.MeanAbsoluteError(),
    "mean_squared_error": metrics.MeanSquaredError(),
    "precision": metrics.Precision(),
    "r2_score": metrics.R2Score(),
    "recall": metrics.Recall(),
    "top_k": metrics.TopKCategoricalAccuracy(k=1),
    "function": metrics.get(lambda t, p: abs(t - p)[:, 0]),
}


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", ["uint8", "int64", "bool"])
@pytest.mark.parametrize("weighted", [False, True])
def test_integers_count_as_numbers(backend, name, dtype, weighted):
    if name == "function" and dtype == "bool":
        pytest.skip("the function has no booleans")
    metric = CASES[name]
    weight = portanet.asarray(WEIGHT) if weighted else None
    results = []
    for kind in ("float32", dtype):
        metric.reset_state()
        y = portanet.asarray(Y, "float32" if name == "function" else kind)
        results.append(metric(y, portanet.asarray(P, kind), sample_weight=weight))
    np.testing.assert_allclose(results[1], results[0], rtol=1e-6)


def test_known_values(backend):
    y, p = portanet.asarray([1, 0, 0, 1], "int32"), portanet.asarray([1, 1, 0, 0], "int32")
    weight = portanet.asarray([0.75, 0.25, 0.5, 0.5])
    assert float(metrics.Precision()(y, p, sample_weight=weight)) == 0.75
    assert float(metrics.AUC()(y, y)) == 1.0
    values = portanet.asarray([1, 3], "int32")
    weight = portanet.asarray([0.2, 0.8])
    assert float(metrics.Mean()(values, sample_weight=weight)) == pytest.approx(2.6)
    assert float(metrics.Sum()(values, sample_weight=weight)) == pytest.approx(2.6)
    assert float(metrics.Mean()(portanet.asarray([True, False]))) == 0.5


@pytest.mark.parametrize(
    ("true", "pred"), [("uint8", "uint8"), ("uint8", "int64"), ("int64", "uint8"), ("int32", "float32")]
)
def test_errors_of_integers_do_not_wrap(backend, true, pred):
    y, p = portanet.asarray([[0], [255]], true), portanet.asarray([[255], [0]], pred)
    assert float(metrics.MeanSquaredError()(y, p)) == 65025.0
    assert float(metrics.MeanAbsoluteError()(y, p)) == 255.0
    assert float(metrics.RootMeanSquaredError()(y, p)) == 255.0
    assert float(portanet.losses.MeanSquaredError()(y, p)) == 65025.0
    assert float(portanet.losses.MeanAbsoluteError()(p, y)) == 255.0


def test_fractions_of_targets_stay(backend):
    y, p = portanet.asarray([[0.5]]), portanet.asarray([[1]], "int32")
    assert float(metrics.MeanAbsoluteError()(y, p)) == 0.5
    assert float(portanet.losses.MeanAbsoluteError()(y, p)) == 0.5
    assert float(metrics.Accuracy()(portanet.asarray([[1.5]]), p)) == 0.0
    assert float(metrics.Accuracy()(portanet.asarray([[257]], "int64"), portanet.asarray([[1]], "uint8"))) == 0.0


@pytest.mark.parametrize("name", LOSSES)
def test_losses_of_integers_are_those_of_numbers(backend, name):
    loss = portanet.losses.get(name, "loss", "compile")
    if loss.integer_targets:
        y, p = np.asarray([0, 1, 0, 0]), P
    else:
        y, p = Y, P
    kinds = [("float32", "float32"), ("int32", "int32"), ("uint8", "uint8")]
    values = [float(loss(portanet.asarray(y, a), portanet.asarray(p, b))) for a, b in kinds]
    np.testing.assert_allclose(values[1:], values[0], rtol=1e-6)


def test_complex_numbers_are_refused(backend):
    real, complex_ = portanet.asarray([[1.0]]), portanet.asarray([[1.0 + 1j]])
    for y, p in ((real, complex_), (complex_, real)):
        with pytest.raises(TypeError, match="real numbers"):
            portanet.losses.MeanSquaredError()(y, p)
