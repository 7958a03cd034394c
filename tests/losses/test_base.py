from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given

from portanet import losses
from portanet.autodiff import grad
from portanet.losses.base import reduce
from tests.support import asarray, assert_close

VALUES = [1.0, 2.0, 3.0, 6.0]
WEIGHT = [0.0, 1.0, 1.0, 2.0]
KEPT = [True, True, False, True]


@pytest.mark.parametrize(
    ("reduction", "plain", "weighted", "masked", "both"),
    [
        ("sum_over_batch_size", 3.0, 17 / 4, 3.0, 14 / 3),
        ("mean", 3.0, 17 / 4, 3.0, 14 / 3),
        ("mean_with_sample_weight", 3.0, 17 / 4, 3.0, 14 / 3),
        ("sum", 12.0, 17.0, 9.0, 14.0),
        (None, VALUES, [0.0, 2.0, 3.0, 12.0], [1.0, 2.0, 0.0, 6.0], [0.0, 2.0, 0.0, 12.0]),
    ],
)
def test_reductions(xp: Any, reduction: Any, plain: Any, weighted: Any, masked: Any, both: Any) -> None:
    values, weight, mask = asarray(VALUES), asarray(WEIGHT), asarray(KEPT)
    assert_close(reduce(values, None, reduction, "l"), plain)
    assert_close(reduce(values, weight, reduction, "l"), weighted)
    assert_close(reduce(values, None, reduction, "l", mask), masked)
    assert_close(reduce(values, weight, reduction, "l", mask), both)


def test_mean_with_sample_weight_divides_by_the_weights(xp: Any) -> None:
    values, weight = asarray(VALUES), asarray([0.0, 1.0, 1.0, 0.5])
    assert_close(reduce(values, weight, "mean_with_sample_weight", "l"), 8 / 2.5)
    assert_close(reduce(values, weight, "mean_with_sample_weight", "l", asarray(KEPT)), 5 / 1.5)


def test_weights_and_masks_of_the_first_axes(xp: Any) -> None:
    values = asarray([[1.0, 2.0], [3.0, 4.0]])
    assert_close(reduce(values, asarray([1.0, 0.0]), "sum", "l"), 3.0)
    assert_close(reduce(values, None, "mean", "l", asarray([False, True])), 3.5)
    assert_close(reduce(values, asarray([[1.0, 0.0], [0.0, 1.0]]), "sum", "l", asarray([False, True])), 4.0)


def test_what_is_masked_may_be_no_number_and_has_no_derivative(xp: Any) -> None:
    y, p = asarray([[0.0], [0.0]]), asarray([[2.0], [np.nan]])
    loss, mask = losses.MeanSquaredError(), asarray([True, False])
    assert_close(loss(y, p, mask=mask), 4.0)
    assert_close(grad(lambda p: loss(y, p, mask=mask))(asarray([[2.0], [5.0]])), [[4.0], [0.0]])
    assert_close(loss(y, p, mask=asarray([False, False])), 0.0)


def test_ignored_classes_have_no_part_in_the_mean(xp: Any) -> None:
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    logits = asarray([[0.0, 0.0], [5.0, -5.0], [0.0, 0.0]])
    for y in ([0, -1, 1], [[0], [-1], [1]]):
        assert_close(loss(asarray(np.asarray(y)), logits), np.log(2))


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=6), st.integers(0, 10))
def test_weights_of_ones_change_nothing(values: list[float], seed: int) -> None:
    y = np.random.default_rng(seed).normal(size=(len(values), 1))
    p = np.asarray(values)[:, None]
    for loss in (losses.MeanSquaredError(), losses.LogCosh()):
        assert loss(y, p, np.ones(len(values))) == pytest.approx(float(loss(y, p)))


def test_class_weights(xp: Any) -> None:
    weights = {0: 0.5, 2: 3.0}
    expected = np.asarray([0.5, 1.0, 3.0], dtype="float32")
    for y in ([0, 1, 2], [[0], [1], [2]], [0.0, 1.0, 2.0], np.eye(3)):
        result = losses.class_weights(asarray(np.asarray(y)), weights)
        np.testing.assert_array_equal(result, expected)
        assert result.dtype == np.float32


@pytest.mark.parametrize(
    ("y", "weights", "message"),
    [
        ([0, 1], {-1: 1.0}, r"`class_weight` must hold non-negative weights.*Received: -1: 1\.0"),
        ([0, 1], {1: -2.0}, r"`class_weight` must hold non-negative weights.*Received: 1: -2\.0"),
        ([0.5, 1], {1: 2.0}, r"class numbers\. Received: targets of dtype float64 with fractions"),
        (np.zeros((2, 3, 2)), {1: 2.0}, r"use `sample_weight`.*Received: targets of shape \(2, 3, 2\)"),
    ],
)
def test_bad_class_weights(y: Any, weights: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        losses.class_weights(np.asarray(y), weights)


def test_names_and_functions() -> None:
    mean = losses.get("MSE", "loss", "compile")
    assert mean.get_config() == {"reduction": "sum_over_batch_size", "name": None, "dtype": None}
    assert losses.get("kl_divergence", "loss", "compile").name == "kl_divergence"
    function = losses.get(lambda y_true, y_pred: (y_true - y_pred)[:, 0], "loss", "compile")
    assert float(function(np.ones((2, 1)), np.zeros((2, 1)))) == 1
    assert losses.get("MSE") is losses.get("mean_squared_error") is losses.mean_squared_error
    assert losses.get(losses.huber) is losses.huber
    assert type(losses.get("MeanSquaredError")) is losses.MeanSquaredError
    assert type(losses.get("soft_margin")) is losses.SoftMargin  # which is no function
    with pytest.raises(ValueError, match=r"Unknown loss\. Did you mean 'huber'\?.*Received: identifier='hubert'"):
        losses.get("hubert")


FLAT, COLUMN, ROWS = np.zeros(4), np.zeros((4, 1)), np.full((4, 3), 0.3)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: losses.MeanSquaredError()(FLAT, ROWS),
            r"targets and predictions of the same shape\..*Received: y_true",
        ),
        (lambda: losses.MeanAbsoluteError()(COLUMN, ROWS), r"same shape\. Received: y_true of shape \(4, 1\), y_pred"),
        (lambda: losses.Hinge()(np.ones((3, 4)), ROWS), r"'hinge' compares targets and predictions of the same shape"),
        (lambda: losses.CategoricalCrossentropy()(FLAT, ROWS), r"look like integer class numbers: use 'sparse_cat"),
        (lambda: losses.SparseCategoricalCrossentropy()(ROWS, ROWS), r"look one-hot: use 'categorical_crossentropy'"),
        (
            lambda: losses.SparseCategoricalCrossentropy()(FLAT + 3, ROWS),
            r"from 0 to 2,.*Received: y from 3\.0 to 3\.0",
        ),
        (lambda: losses.SparseCategoricalCrossentropy()(FLAT - 1, ROWS), r"from 0 to 2,.*Received: y from -1\.0 to"),
        (lambda: losses.SparseCategoricalCrossentropy()(FLAT + 0.5, ROWS), r"integer class numbers.*with fractions"),
        (lambda: losses.MulticlassSVM()(FLAT + 3, ROWS), r"'multiclass_svm' needs class numbers from 0 to 2"),
        (
            lambda: losses.CategoricalCrossentropy()(ROWS * 9, ROWS),
            r"one-hot rows or probabilities from 0 to 1.*Received",
        ),
        (
            lambda: losses.BinaryCrossentropy()(COLUMN + 2, COLUMN),
            r"probabilities \(or 0 and 1\) from 0 to 1 as targets",
        ),
        (lambda: losses.KLDivergence()(-ROWS, ROWS), r"probabilities from 0 to 1 as targets\. Received: y from -0\.3"),
        (lambda: losses.HellingerDistance()(-ROWS, ROWS), r"probabilities from 0 to 1 as targets"),
        (lambda: losses.Poisson()(-ROWS, ROWS), r"counts of at least 0 as targets\. Received: y from -0\.3 to -0\.3"),
        (lambda: losses.Hinge()(ROWS * 9, ROWS), r"signs from -1 to 1 as targets"),
        (lambda: losses.CategoricalHinge()(ROWS * 9, ROWS), r"one-hot rows from 0 to 1 as targets"),
        (lambda: losses.Dice()(ROWS * 9, ROWS), r"memberships from 0 to 1 as targets"),
        (lambda: losses.Contrastive()(COLUMN + 2, COLUMN), r"'contrastive' needs 0 \(dissimilar\) and 1 \(similar\)"),
        (lambda: losses.GaussianNegativeLogLikelihood()(ROWS, ROWS), r"shape \(\.\.\., 2 \* d\).*Received: y_true of"),
        (
            lambda: losses.Triplet()(FLAT, FLAT),
            r"embeddings of shape \(batch, dimensions\)\. Received: y_pred of shape",
        ),
        (
            lambda: losses.CTC()(FLAT, ROWS),
            r"logits of shape \(batch, time, classes\)\. Received: y_true of shape \(4,\)",
        ),
        (
            lambda: losses.CTC()(np.asarray([[3]]), np.zeros((1, 4, 3))),
            r"from 1 to 2, padded with 0\. Received: y from 3",
        ),
        (lambda: losses.CTC()(np.asarray([[0, 1]]), np.zeros((1, 4, 3))), r"0, after the labels.*a label after a 0"),
        (lambda: losses.CTC()(np.asarray([[1, 0, 2]]), np.zeros((1, 4, 3))), "after the labels.*a label after a 0"),
        (lambda: losses.MeanSquaredError(reduction="avg"), "`reduction` .* one of .*, None. Received: red"),
        (lambda: losses.MeanSquaredError()(ROWS, ROWS, np.ones(3)), r"one weight per.*Received: sample_weight of"),
        (lambda: losses.MeanSquaredError()(ROWS, ROWS, mask=np.ones(3) > 0), r"Received: mask of shape \(3,\)"),
        (lambda: losses.Huber(0), r"`delta` of Huber must be a positive number. Received: delta=0"),
        (lambda: losses.BinaryCrossentropy(label_smoothing=2), r"a number in \[0, 1\]. Received: label_smoothing=2"),
        (
            lambda: losses.CategoricalCrossentropy(label_smoothing="a"),
            r"`label_smoothing` of CategoricalCrossentropy must be a number in \[0, 1\]",
        ),
        (
            lambda: losses.BinaryFocalCrossentropy(gamma=-1),
            r"`gamma` of BinaryFocalCrossentropy must be a non-negative number. Received: gamma=-1",
        ),
        (lambda: losses.BinaryFocalCrossentropy(alpha=2), r"`alpha` of BinaryFocalCrossentropy must be a number in \["),
        (
            lambda: losses.CategoricalFocalCrossentropy(alpha=0),
            r"`alpha` of CategoricalFocalCrossentropy must be a positive number. Received: alpha=0",
        ),
        (lambda: losses.Tversky(alpha=-1), r"`alpha` of Tversky must be a non-negative number. Received: alpha=-1"),
        (lambda: losses.Contrastive(margin=0), r"`margin` of Contrastive must be a positive number. Received: margin="),
        (lambda: losses.Triplet(margin="a"), r"`margin` of Triplet must be a positive number. Received: margin='a'"),
        (lambda: losses.MulticlassSVM(margin=-1), r"`margin` of MulticlassSVM must be a non-negative number."),
    ],
)
def test_bad_input(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_lists_and_numbers_join_the_arrays(xp: Any) -> None:
    loss = losses.MeanSquaredError()
    assert_close(loss([[1.0], [2.0]], asarray([[1.0], [4.0]])), 2.0)
    assert_close(
        loss(asarray([[1.0], [2.0]], "float64"), [[1.0], [4.0]], sample_weight=[0.0, 0.5]), 1.0, dtype="float64"
    )


@pytest.mark.parametrize("y", ["text", {"a": 1.0}, [["a"]], [[1.0], [2.0, 3.0]], object()])
def test_what_is_no_array_of_numbers_is_refused(xp: Any, y: Any) -> None:
    with pytest.raises((TypeError, ValueError), match=r"`y_true` of Loss .* must .* Received: "):
        losses.MeanSquaredError()(y, asarray([[1.0]]))


@pytest.mark.parametrize("shape", [(3,), (3, 1)])
def test_ignored_classes_under_a_mask(xp: Any, shape: tuple[int, ...]) -> None:
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    y, logits = asarray(np.asarray([0, -1, 1]).reshape(shape)), asarray([[0.0, 0.0], [5.0, -5.0], [1.0, 0.0]])
    assert_close(loss(y, logits, mask=asarray([True, True, False])), np.log(2))
    assert_close(loss(y, logits, mask=asarray([False, True, True])), np.log(1 + np.e))
    assert_close(loss(y, logits, mask=asarray([False, True, False])), 0.0)
