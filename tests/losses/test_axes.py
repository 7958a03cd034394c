"""Losses of (batch, steps, classes) are those of the same rows in (batch, classes), in whatever shape targets and
weights come.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import losses
from portanet.autodiff import array_namespace, grad
from tests.losses.test_losses import CASES, targets
from tests.support import asarray, assert_close, to_numpy

ROWS = [0, 1, 2, 3, 1, 0, 3, 2]  # (2, 4) of the cases' four examples, which have 3 classes
WHOLE = {"dice", "tversky", "triplet", "ctc", "circle"}  # of a number of axes of their own
NAMES = sorted(set(CASES) - WHOLE)
INTEGERS = [name for name in NAMES if CASES[name][0].integer_targets]
COLUMN = np.asarray([0.5, 2.0])
TABLE = np.asarray([[1.0, 0.0, 0.5, 3.0], [2.0, 1.5, 0.25, 0.75]])


def flat_and_deep(name: str) -> tuple[Any, Any, Any, Any, Any]:
    """The loss, and targets and predictions of shapes (8, ...) and (2, 4, ...)."""
    loss, y, p = CASES[name]
    y, p = y[ROWS], p[ROWS]
    deep = y.reshape(2, 4, *y.shape[1:]), p.reshape(2, 4, *p.shape[1:])
    return loss, targets(y), asarray(p, "float64"), targets(deep[0]), asarray(deep[1], "float64")


def reduced(loss: Any, reduction: str | None) -> Any:
    return type(loss).from_config({**loss.get_config(), "reduction": reduction})


@pytest.mark.parametrize("name", NAMES)
def test_one_value_per_row(xp: Any, name: str) -> None:
    loss, y, p, deep_y, deep_p = flat_and_deep(name)
    each = to_numpy(loss.per_example(y, p)).reshape(2, 4)
    assert_close(loss.per_example(deep_y, deep_p), each, dtype="float64")
    if name in INTEGERS:
        assert_close(loss.per_example(deep_y[..., None], deep_p), each, dtype="float64")
        assert_close(loss.per_example(xp.astype(deep_y, xp.float32), deep_p), each, dtype="float64")


@pytest.mark.parametrize("shape", [(4,), (4, 3), (2, 2, 3)])
@pytest.mark.parametrize(
    "make",
    [losses.MeanSquaredError, losses.MeanAbsoluteError, losses.Huber, losses.LogCosh],
    ids=lambda make: make.__name__,
)
def test_a_last_axis_that_one_of_both_has_alone(xp: Any, make: Any, shape: tuple[int, ...]) -> None:
    loss, rng = make(), np.random.default_rng(0)
    y, p = (rng.uniform(0.5, 1.5, shape) for _ in range(2))
    same = y.reshape(-1, 1), p.reshape(-1, 1)
    expected = float(loss(*(asarray(a, "float64") for a in (same if len(shape) == 1 else (y, p)))))
    for one, other in ((y[..., None], p), (y, p[..., None])):
        assert_close(loss(asarray(one, "float64"), asarray(other, "float64")), expected, dtype="float64")


@pytest.mark.parametrize("axis", [1, -2])
@pytest.mark.parametrize("name", [name for name in NAMES if "axis" in CASES[name][0].get_config()])
def test_classes_on_another_axis(xp: Any, name: str, axis: int) -> None:
    loss, _, _, y, p = flat_and_deep(name)
    other = type(loss).from_config({**loss.get_config(), "axis": axis})
    moved = y if loss.integer_targets else xp.moveaxis(y, -1, 1)
    actual = other.per_example(moved, xp.moveaxis(p, -1, 1))
    assert_close(actual, to_numpy(loss.per_example(y, p)), dtype="float64")


@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean_with_sample_weight", None])
@pytest.mark.parametrize("name", NAMES)
def test_values_and_gradients_with_weights_and_masks(xp: Any, name: str, reduction: str | None) -> None:
    loss, y, p, deep_y, deep_p = flat_and_deep(name)
    loss = reduced(loss, reduction)
    shown = np.asarray([[True, False, True, True], [True, True, False, False]])
    by_example = np.broadcast_to(COLUMN[:, None], (2, 4))
    cases = [
        (None, None, None, None),
        (by_example, COLUMN, None, None),
        (by_example, COLUMN[:, None], None, None),
        (TABLE, TABLE, None, None),
        (TABLE, TABLE[..., None], None, None),
        (None, None, shown, shown),
        (TABLE, TABLE, np.asarray([[False] * 4, [True] * 4]), np.asarray([False, True])),
        (by_example, COLUMN[:, None], shown, shown),
    ]
    factors = asarray(np.linspace(1.0, 2.0, 8) if reduction is None else 1.0, "float64")
    for flat_weight, weight, flat_mask, mask in cases:
        flat = [None if a is None else asarray(a.reshape(8)) for a in (flat_weight, flat_mask)]
        deep = [None if a is None else asarray(a) for a in (weight, mask)]

        def total(y: Any, p: Any, extra: list[Any]) -> Any:
            value = loss.compute(y, p, *extra)
            xp = array_namespace(value)
            return xp.sum(value if reduction is not None else xp.reshape(value, (8,)) * factors)

        assert_close(total(deep_y, deep_p, deep), to_numpy(total(y, p, flat)), dtype="float64")
        slope = grad(lambda p, flat=flat: total(y, p, flat))(p)
        deep_slope = grad(lambda p, deep=deep: total(deep_y, p, deep))(deep_p)
        assert_close(deep_slope, to_numpy(slope).reshape(tuple(deep_p.shape)), dtype="float64")


@pytest.mark.parametrize("name", NAMES)
def test_a_large_example_does_not_spoil_another(xp: Any, name: str) -> None:
    loss, y, p, *_ = flat_and_deep(name)
    p = p * asarray(np.where(np.arange(8) % 2, 1e4, 1.0).reshape(8, *[1] * (p.ndim - 1)), "float64")
    whole = to_numpy(loss.per_example(y, p))
    for rows in (slice(None, None, 2), slice(1, None, 2)):
        assert_close(loss.per_example(y[rows, ...], p[rows, ...]), whole[rows], dtype="float64")


@pytest.mark.parametrize("name", NAMES)
def test_columns_of_weights_are_weights_of_examples(xp: Any, name: str) -> None:
    loss, y, p, *_ = flat_and_deep(name)
    weight = asarray(TABLE.reshape(8))
    for reduction in ("sum_over_batch_size", "mean_with_sample_weight", None):
        chosen = reduced(loss, reduction)
        expected = to_numpy(chosen(y, p, weight))
        assert_close(chosen(y, p, weight[:, None]), expected, dtype="float64")
        assert_close(chosen(y, p, asarray(TABLE.reshape(8, 1, 1))), expected, dtype="float64")


@pytest.mark.parametrize("shape", [(1,), (1, 1), (6, 2), (2, 3), (1, 6), (5, 1), (6, 1, 2)])
def test_weights_of_other_shapes_are_refused(xp: Any, shape: tuple[int, ...]) -> None:
    y = asarray(np.ones((6, 4)))
    with pytest.raises(ValueError, match=r"one weight per example, shape \(6,\) .*Received: sample_weight of shape"):
        losses.MeanSquaredError()(y, 2 * y, asarray(np.ones(shape)))


@pytest.mark.parametrize(
    "name",
    [
        "binary_crossentropy", "bernoulli", "contrastive", "hinge", "huber", "log_cosh", "mae", "mape", "mse", "msle",
        "poisson", "quadratic_cost", "soft_margin", "squared_hinge", "binary_focal_crossentropy",
    ],
)  # fmt: skip
def test_vectors_are_columns(xp: Any, name: str) -> None:
    loss, y, p = CASES[name]
    columns = targets(y[:, :1]), asarray(p[:, :1], "float64")
    assert_close(
        loss.per_example(targets(y[:, 0]), asarray(p[:, 0], "float64")),
        to_numpy(loss.per_example(*columns)),
        dtype="float64",
    )


@pytest.mark.parametrize("axis", [None, -1, 0, 1, [1], (1, 2), [1, 2], (0, -1)])
def test_axes_of_overlap(xp: Any, axis: Any) -> None:
    generator = np.random.default_rng(2)
    y, p = (generator.random((2, 3, 4)) < 0.5).astype("float64"), generator.random((2, 3, 4))
    axes = tuple(axis) if isinstance(axis, list) else axis
    both, only_y, only_p = ((a * b).sum(axes) for a, b in ((y, p), (y, 1 - p), (1 - y, p)))
    whole = axis in (None, 0, (0, -1))
    y, p = asarray(y, "float64"), asarray(p, "float64")
    dice = losses.Dice(axis=axis, reduction="sum" if whole else None)
    tversky = losses.Tversky(0.3, 0.8, axis=axis, reduction="sum" if whole else None)
    expected = [
        1 - 2 * both / (2 * both + only_y + only_p + 1e-7),
        1 - both / (both + 0.3 * only_y + 0.8 * only_p + 1e-7),
    ]
    for loss, values in zip((dice, tversky), expected, strict=True):
        if axis not in (0, (0, -1)):  # of which no axis is that of the examples
            assert_close(loss.compute(y, p), np.asarray(values).sum() if whole else values, dtype="float64")
        assert_close(loss.call(y, p), values, dtype="float64")


@pytest.mark.parametrize("ignored", [-1, 1])
def test_ignored_classes_in_every_shape_of_targets(xp: Any, ignored: int) -> None:
    generator = np.random.default_rng(4)
    labels, logits = np.asarray([[0, ignored, 2], [ignored, ignored, 0]]), generator.normal(size=(2, 3, 4))
    log_p = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    each = np.asarray([-log_p[0, 0, 0], -log_p[0, 2, 2], -log_p[1, 2, 0]])
    p = asarray(logits, "float64")
    weight = asarray(TABLE[:, :3])
    weights = TABLE[[0, 0, 1], [0, 2, 2]]
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=ignored)
    for y in (labels, labels[..., None], labels.astype("float64")):
        y = asarray(y)
        assert_close(loss(y, p), each.mean(), dtype="float64")
        assert_close(loss(y, p, weight), (each * weights).sum() / 3, dtype="float64")
        average = reduced(loss, "mean_with_sample_weight")
        assert_close(average(y, p, weight), (each * weights).sum() / weights.sum(), dtype="float64")
        singles = np.zeros((2, 3))
        singles[[0, 0, 1], [0, 2, 2]] = each
        assert_close(reduced(loss, None)(y, p), singles, dtype="float64")
        slope = to_numpy(grad(lambda p, y=y: loss.compute(y, p))(p))
        assert (slope[labels == ignored] == 0).all()
        assert (slope[labels != ignored] != 0).all()
