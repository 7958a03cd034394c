"""Metrics of (batch, steps, classes) are those of the same rows in (batch, classes), in whatever shape targets and
weights come.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import metrics
from tests.metrics.test_metrics import CASES
from tests.support import asarray

NAMES = sorted(set(CASES) - {"f1", "fbeta", "r2", "auc of labels"})  # of (batch, classes) alone
SPARSE = [name for name in NAMES if CASES[name][1].ndim == 1 and CASES[name][2].ndim == 2]
ROWS = [0, 1, 2, 3, 4, 5, 1, 0]  # (2, 4), neither of them the number of classes
COLUMN = np.asarray([0.5, 2.0])
TABLE = np.asarray([[1.0, 0.0, 0.5, 3.0], [2.0, 1.5, 0.25, 0.75]])
BY_EXAMPLE = np.repeat(COLUMN, 4)


def figure(metric: Any, y: Any, p: Any, weight: Any = None) -> Any:
    fresh = type(metric).from_config(metric.get_config())
    y = asarray(y, "float64") if y.dtype.kind == "f" else asarray(y)
    return fresh(y, asarray(p, "float64"), None if weight is None else asarray(weight, "float64"))


def deep(a: Any) -> Any:
    return a.reshape(2, 4, *a.shape[1:])


@pytest.mark.parametrize("name", NAMES)
def test_rows_of_several_axes(xp: Any, name: str) -> None:
    metric, y, p = CASES[name]
    y, p = y[ROWS], p[ROWS]
    cases = [
        (None, None),
        (BY_EXAMPLE, COLUMN),
        (BY_EXAMPLE, COLUMN[:, None]),
        (TABLE.reshape(8), TABLE),
        (TABLE.reshape(8), TABLE[..., None]),
    ]
    for flat, weight in cases:
        expected = figure(metric, y, p, flat)
        np.testing.assert_allclose(figure(metric, deep(y), deep(p), weight), expected, rtol=1e-9)
        if name in SPARSE:
            np.testing.assert_allclose(figure(metric, deep(y)[..., None], deep(p), weight), expected, rtol=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_columns_of_weights_are_weights_of_examples(xp: Any, name: str) -> None:
    metric, y, p = CASES[name]
    y, p, weight = y[ROWS], p[ROWS], TABLE.reshape(8)
    expected = figure(metric, y, p, weight)
    np.testing.assert_allclose(figure(metric, y, p, weight[:, None]), expected, rtol=1e-9)
    if name in SPARSE:
        np.testing.assert_allclose(figure(metric, y[:, None], p, weight), expected, rtol=1e-9)


@pytest.mark.parametrize("name", ["accuracy", "mse", "precision", "auc", "confusion_matrix"])
@pytest.mark.parametrize("shape", [(1,), (5,), (5, 1), (1, 6)])
def test_weights_of_other_shapes_are_refused(xp: Any, name: str, shape: tuple[int, ...]) -> None:
    metric, y, p = CASES[name]
    with pytest.raises(ValueError, match=r"one weight per example, .* Received: sample_weight of shape"):
        figure(metric, y[:6], p[:6], np.ones(shape))


@pytest.mark.parametrize("name", ["accuracy", "binary_accuracy", "mse", "mae", "log_cosh", "precision", "auc", "r2"])
def test_targets_without_the_last_axis(xp: Any, name: str) -> None:
    metric, y, p = CASES[name]
    y, p = (a.reshape(len(a), -1)[ROWS, :1] for a in (y, p))
    expected = figure(metric, y, p, BY_EXAMPLE)
    np.testing.assert_allclose(figure(metric, y[:, 0], p, BY_EXAMPLE), expected, rtol=1e-9)
    np.testing.assert_allclose(figure(metric, y[:, 0], p[:, 0], BY_EXAMPLE), expected, rtol=1e-9)
    if name in ("accuracy", "binary_accuracy", "precision", "auc", "r2"):
        np.testing.assert_allclose(figure(metric, y, p[:, 0], BY_EXAMPLE), expected, rtol=1e-9)


@pytest.mark.parametrize(
    ("kind", "y", "p", "weights"),
    [
        (
            metrics.SparseCategoricalCrossentropy,
            np.asarray([[0, 1, 2, 2], [1, 1, 0, 1]]),
            np.full((2, 4, 3), 1.0),
            True,
        ),
        (metrics.Perplexity, np.asarray([[0, 1, 2, 2], [1, 1, 0, 1]]), np.full((2, 4, 3), 1.0), True),
        (
            metrics.ConfusionMatrix,
            np.asarray([[0, 1, 2, 2], [1, 1, 0, 1]]),
            np.asarray([[0, 1, 2, 0], [2, 0, 1, 1]]),
            False,
        ),
    ],
)
def test_ignored_classes(xp: Any, kind: Any, y: Any, p: Any, weights: bool) -> None:
    generator = np.random.default_rng(3)
    p = p * generator.dirichlet(np.ones(3), (2, 4)) if weights else p
    metric = kind(ignore_class=1) if weights else kind(5, ignore_class=1)
    whole = kind() if weights else kind(5)
    shown = y != 1
    for weight in (None, TABLE, COLUMN[:, None]):
        spread = np.broadcast_to(1.0 if weight is None else weight, (2, 4))
        expected = figure(whole, y[shown], p[shown], spread[shown])
        np.testing.assert_allclose(figure(metric, y, p, weight), expected, rtol=1e-9)
        if weights:
            np.testing.assert_allclose(figure(metric, y[..., None], p, weight), expected, rtol=1e-9)


@pytest.mark.parametrize("ignored", [-1, 7])
def test_ignored_classes_beyond_the_others(xp: Any, ignored: int) -> None:
    y, p = asarray(np.asarray([0, ignored, 1])), asarray(np.asarray([0, 1, 1]))
    matrix = metrics.ConfusionMatrix(2, ignore_class=ignored)(y, p)
    np.testing.assert_array_equal(matrix, [[1, 0], [0, 1]])


def test_r2_takes_vectors_and_tables_only(xp: Any) -> None:
    y = asarray(np.ones((2, 3, 4)))
    with pytest.raises(ValueError, match=r"shape \(batch,\) or \(batch, outputs\)\. Received: y_pred of shape \(2, 3"):
        metrics.R2Score()(y, y)
