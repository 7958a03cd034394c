"""Every term of a check by itself: each of these calls is refused, or accepted, because of one term alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from portanet import losses, metrics, ops
from portanet.autodiff import array_namespace
from portanet.losses import LOSSES
from tests.support import asarray, assert_close, to_numpy

ROWS = np.full((4, 3), 0.3)
CUBE = np.zeros((4, 5, 3))


@pytest.mark.parametrize(
    ("loss", "y", "p", "message"),
    [
        (losses.CTC(), np.zeros(4), CUBE, "needs targets of shape"),
        (losses.CTC(), np.zeros((4, 2)), ROWS, "needs targets of shape"),
        (losses.CTC(), np.zeros((3, 2)), CUBE, "needs targets of shape"),
        (losses.CTC(), np.full((4, 2), -1), CUBE, r"class numbers from 1 to 2, padded with 0\. Received: y from -1"),
        (losses.CTC(), np.full((4, 2), 3), CUBE, r"class numbers from 1 to 2, padded with 0\. Received: y from 3"),
        (losses.GaussianNegativeLogLikelihood(), np.zeros(4), np.zeros(8), r"targets of shape \(\.\.\., d\)"),
        (losses.GaussianNegativeLogLikelihood(), ROWS, np.zeros((4, 5)), r"targets of shape \(\.\.\., d\)"),
        (losses.SparseCategoricalCrossentropy(), np.asarray(0), np.asarray(0.3), "one class number per row"),
        (losses.SparseCategoricalCrossentropy(), np.zeros((4, 2)), ROWS, "one class number per row"),
        (losses.CategoricalCrossentropy(), np.zeros((4, 1)), ROWS, "look like integer class numbers"),
        (losses.CategoricalCrossentropy(), np.zeros(4), ROWS, "look like integer class numbers"),
        (
            losses.SparseCategoricalCrossentropy(),
            np.asarray([0, 1, 2, 3]),
            ROWS,
            r"from 0 to 2,.*Received: y from 0 to 3",
        ),
        (losses.SparseCategoricalCrossentropy(), np.asarray([0, 1, 2, -1]), ROWS, r"from 0 to 2,.*Received: y from -1"),
        (losses.SparseCategoricalCrossentropy(ignore_class=-1), np.asarray([0, 1, -2, -1]), ROWS, "from -2 to 1"),
        (losses.Poisson(), -ROWS[:, :1], ROWS[:, :1], "counts of at least 0"),
        (losses.Hinge(), np.asarray([-1.0, 1.5]), np.zeros(2), "signs from -1 to 1"),
        (losses.Hinge(), np.asarray([-1.5, 1.0]), np.zeros(2), "signs from -1 to 1"),
        (losses.Triplet(), np.zeros(4), CUBE, r"embeddings of shape \(batch, dimensions\)"),
        (losses.Triplet(), np.asarray([0, 1, -1, 0]), ROWS, r"class numbers from 0\. Received: y from -1 to 1"),
        (losses.FunctionLoss(lambda y, p: p[:3, 0]), ROWS, ROWS, r"of which there are 4.*Received: shape \(3,\)"),
        (losses.FunctionLoss(lambda y, p: 1.0), ROWS, ROWS, r"of which there are 4.*Received: float"),
    ],
)
def test_refused(xp: Any, loss: Any, y: Any, p: Any, message: str) -> None:
    y = asarray(y, "float64") if y.dtype.kind == "f" else asarray(y)
    with pytest.raises(ValueError, match=message):
        loss(y, asarray(p, "float64"))


@pytest.mark.parametrize(
    ("loss", "y", "p"),
    [
        (losses.Poisson(), 1000 * ROWS, ROWS),  # no upper bound
        (losses.MeanSquaredLogarithmicError(), 1000 * ROWS, ROWS),
        (losses.Hinge(), np.asarray([-1.0, 1.0]), np.zeros(2)),
        (losses.Triplet(), np.asarray([0, 99, 0, 1]), ROWS),  # more classes than dimensions
        (losses.SparseCategoricalCrossentropy(ignore_class=255), np.asarray([0, 255, 2, 1]), ROWS),
        (losses.SparseCategoricalCrossentropy(ignore_class=1), np.asarray([1, 1, 1, 1]), ROWS),
        (losses.GaussianNegativeLogLikelihood(), CUBE, np.zeros((4, 5, 6))),
        (losses.FunctionLoss(lambda y, p: p[0, 0]), ROWS, ROWS),  # a single value
        (losses.FunctionLoss(lambda y, p: p[:, 0]), ROWS, ROWS),
    ],
)
def test_accepted(xp: Any, loss: Any, y: Any, p: Any) -> None:
    y = asarray(y, "float64") if y.dtype.kind == "f" else asarray(y)
    assert np.isfinite(to_numpy(loss(y, asarray(p, "float64")))).all()


def test_arrays_of_two_libraries() -> None:
    other = pytest.importorskip("array_api_strict").ones((2, 1))
    own = pytest.importorskip("torch").ones(2, 1)
    for y, p in ((other, own), (own, other)):
        with pytest.raises(TypeError, match=r"compares arrays of one library; .*Received: y_true \w+, y_pred \w+"):
            losses.MeanSquaredError()(y, p)


def test_arrays_of_numpy_beside_those_of_another_library(xp: Any) -> None:
    y, p = np.asarray([[1.0], [3.0]]), asarray([[2.0], [5.0]])
    assert to_numpy(losses.MeanSquaredError()(y, p)) == 2.5
    assert to_numpy(losses.MeanSquaredError()(p, y, sample_weight=np.asarray([1, 0]))) == 0.5
    np.testing.assert_array_equal(to_numpy(losses.mean_squared_error(y, p)), [1.0, 4.0])
    assert_close(losses.SparseCategoricalCrossentropy()(np.asarray([0]), asarray([[0.5, 0.5]])), np.log(2))
    assert float(metrics.MeanSquaredError()(y, p)) == 2.5


def test_a_single_loss_counts_as_that_of_each_example(xp: Any) -> None:
    loss = losses.FunctionLoss(lambda y_true, y_pred: ops.mean(ops.abs(y_true - y_pred)))
    y, p = asarray([[1.0], [3.0]]), asarray([[2.0], [5.0]])
    for weight in ([1.0, 3.0], [[1.0], [3.0]]):
        assert_close(loss(y, p, sample_weight=asarray(weight)), 3.0)
    loss.reduction = "sum"
    assert_close(loss(y, p, sample_weight=asarray([1.0, 3.0])), 6.0)


@pytest.mark.parametrize(("number", "weight"), [(True, 1.0), (0.5, 1.0), (-1, 1.0), (1, -1.0), (1, float("nan"))])
def test_class_weights_that_mean_nothing(number: Any, weight: float) -> None:
    with pytest.raises(ValueError, match=r"`class_weight` must hold non-negative weights by class number\. Received"):
        losses.class_weights(np.asarray([0, 1]), {number: weight})


def test_class_weights_that_do(xp: Any) -> None:
    np.testing.assert_array_equal(losses.class_weights(asarray(np.asarray([0, 1])), {1.0: 0}), [1.0, 0.0])
    np.testing.assert_array_equal(losses.class_weights(asarray([[1.0, 0.0], [0.0, 1.0]]), {1: 3}), [1.0, 3.0])
    np.testing.assert_array_equal(losses.class_weights(asarray([[1.0], [0.0]]), {1: 3}), [3.0, 1.0])


def test_one_example_and_an_ignored_class(xp: Any) -> None:
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, ignore_class=1)
    logits = asarray([[0.0, 0.0, 0.0]])
    for y, expected in ((0, np.log(3)), (1, 0.0)):
        for shape in ((1,), (1, 1)):
            assert_close(loss(asarray(np.full(shape, y)), logits), expected)
        assert_close(loss(asarray(np.full((1, 1), y)), logits[:, None, :]), expected)
        assert_close(loss(asarray(np.full((1, 1, 1), y)), logits[:, None, :]), expected)


@pytest.mark.parametrize("kind", sorted(set(LOSSES.values()), key=lambda kind: kind.__name__))
def test_names(kind: Any) -> None:
    assert kind(name="mine").name == "mine"
    assert kind().name in LOSSES
    assert kind(reduction="none").reduction is None


def test_names_of_functions() -> None:
    def far(y: Any, p: Any) -> Any:
        return p

    assert losses.FunctionLoss(far).name == "far"
    assert losses.FunctionLoss(far, name="mine").name == "mine"


def test_nan_predictions_have_no_loss_that_looks_right(xp: Any) -> None:
    p = asarray([[0.2, np.nan], [0.3, 0.7]])
    cosine = to_numpy(losses.CosineSimilarity(reduction=None)(asarray([[0.0, 1.0], [0.6, 1.4]]), p))
    np.testing.assert_allclose(cosine, [np.nan, -1.0], rtol=1e-6)
    assert np.isnan(to_numpy(losses.Triplet()(asarray(np.asarray([0, 0, 1])), asarray([[0.0], [np.nan], [1.0]]))))
    assert np.isnan(to_numpy(losses.triplet(p, 1.0 * p, p + 1.0))[0])


def test_losses_of_whole_numbers_have_fractions_as_means(xp: Any) -> None:
    wrong = losses.FunctionLoss(lambda y, p: array_namespace(p).astype(y[:, 0] != p[:, 0], xp.int32))
    y, p = asarray([[1.0], [0.0], [1.0], [0.0]]), asarray([[1.0], [1.0], [0.0], [1.0]])
    assert float(to_numpy(wrong(y, p))) == 0.75
    assert float(to_numpy(wrong(y, p, asarray([0.5, 0.25, 0.5, 0.5])))) == pytest.approx(1.25 / 4)


def test_a_loss_of_the_users_may_compare_other_shapes(xp: Any) -> None:
    """Here class numbers with probabilities; as in Keras, its `call` alone knows what fits."""

    class Shown(losses.Loss):
        def call(self, y_true: Any, y_pred: Any) -> Any:
            each = losses.SparseCategoricalCrossentropy(reduction=None)(y_true, y_pred)
            shown = ops.cast(y_true > 0, "float32")
            return ops.sum(each * shown) / ops.sum(shown)

    y, p = asarray([[1, 0], [1, 1]]), asarray([[[0.5, 0.5], [0.1, 0.9]], [[0.5, 0.5], [0.5, 0.5]]])
    assert_close(Shown()(y, p), np.log(2), rtol=1e-5)
