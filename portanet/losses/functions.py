"""The losses as functions, which return one value per example, as in Keras; their classes say what they compute.

Arguments are arrays of one library, or lists and numbers. The axis that a loss reduces is not in the result.
"""

from __future__ import annotations

from collections.abc import Sequence

from portanet.backends import Array
from portanet.losses.base import Loss, as_arrays
from portanet.losses.classification import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy
from portanet.losses.focal import BinaryFocalCrossentropy, CategoricalFocalCrossentropy
from portanet.losses.margin import CategoricalHinge, Hinge, SquaredHinge
from portanet.losses.noise_robust import CategoricalGeneralizedCrossEntropy
from portanet.losses.overlap import Axis, Dice, Tversky
from portanet.losses.probability import KLDivergence, Poisson
from portanet.losses.regression import (
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
)


def mean_squared_error(y_true: Array, y_pred: Array) -> Array:
    """The loss of each example; see `MeanSquaredError`.

    Example:
        >>> mean_squared_error([[0.0, 1.0], [0.0, 0.0]], [[2.0, 1.0], [1.0, 1.0]])
        array([2., 1.], dtype=float32)
    """
    return values(MeanSquaredError(), y_true, y_pred)


def mean_absolute_error(y_true: Array, y_pred: Array) -> Array:
    """The loss of each example; see `MeanAbsoluteError`.

    Example:
        >>> mean_absolute_error([[0.0, 0.0], [1.0, 1.0]], [[2.0, 1.0], [1.0, 1.0]])
        array([1.5, 0. ], dtype=float32)
    """
    return values(MeanAbsoluteError(), y_true, y_pred)


def mean_absolute_percentage_error(y_true: Array, y_pred: Array) -> Array:
    """The loss of each example; see `MeanAbsolutePercentageError`.

    Example:
        >>> mean_absolute_percentage_error([[2.0], [4.0]], [[1.0], [5.0]])
        array([50., 25.], dtype=float32)
    """
    return values(MeanAbsolutePercentageError(), y_true, y_pred)


def mean_squared_logarithmic_error(y_true: Array, y_pred: Array) -> Array:
    """The loss of each example; see `MeanSquaredLogarithmicError`.

    Example:
        >>> mean_squared_logarithmic_error([[0.0], [1.0]], [[1.0], [1.0]]).round(4)
        array([0.4805, 0.    ], dtype=float32)
    """
    return values(MeanSquaredLogarithmicError(), y_true, y_pred)


def huber(y_true: Array, y_pred: Array, delta: float = 1.0) -> Array:
    """The loss of each example; see `Huber`.

    Example:
        >>> huber([[0.0], [0.0]], [[0.5], [3.0]])
        array([0.125, 2.5  ], dtype=float32)
    """
    return values(Huber(delta), y_true, y_pred)


def log_cosh(y_true: Array, y_pred: Array) -> Array:
    """The loss of each example; see `LogCosh`.

    Example:
        >>> log_cosh([[0.0], [0.0]], [[0.0], [1.0]]).round(4)
        array([0.    , 0.4338], dtype=float32)
    """
    return values(LogCosh(), y_true, y_pred)


def cosine_similarity(y_true: Array, y_pred: Array, axis: int = -1) -> Array:
    """The negative cosine similarity of each example, -1 for the same direction; see `CosineSimilarity`.

    Example:
        >>> cosine_similarity([[0.0, 2.0]], [[3.0, 4.0]])
        array([-0.8], dtype=float32)
    """
    return values(CosineSimilarity(axis), y_true, y_pred)


def kl_divergence(y_true: Array, y_pred: Array) -> Array:
    """The loss of each example; see `KLDivergence`.

    Example:
        >>> kl_divergence([[0.5, 0.5]], [[0.25, 0.75]]).round(4)
        array([0.1438], dtype=float32)
    """
    return values(KLDivergence(), y_true, y_pred)


def poisson(y_true: Array, y_pred: Array) -> Array:
    """The loss of each example; see `Poisson`.

    Example:
        >>> poisson([[1.0], [2.0]], [[1.0], [1.0]]).round(4)
        array([1., 1.], dtype=float32)
    """
    return values(Poisson(), y_true, y_pred)


def hinge(y_true: Array, y_pred: Array) -> Array:
    """The loss of each example; see `Hinge`.

    Example:
        >>> hinge([[1.0], [-1.0]], [[0.5], [0.5]])
        array([0.5, 1.5], dtype=float32)
    """
    return values(Hinge(), y_true, y_pred)


def squared_hinge(y_true: Array, y_pred: Array) -> Array:
    """The loss of each example; see `SquaredHinge`.

    Example:
        >>> squared_hinge([[1.0], [-1.0]], [[0.5], [0.5]])
        array([0.25, 2.25], dtype=float32)
    """
    return values(SquaredHinge(), y_true, y_pred)


def categorical_hinge(y_true: Array, y_pred: Array) -> Array:
    """The loss of each example; see `CategoricalHinge`.

    Example:
        >>> categorical_hinge([[0.0, 1.0]], [[0.6, 0.4]]).round(4)
        array([1.2], dtype=float32)
    """
    return values(CategoricalHinge(), y_true, y_pred)


def dice(y_true: Array, y_pred: Array, axis: Axis = None) -> Array:
    """The loss over the axes; see `Dice`.

    Example:
        >>> round(float(dice([[1.0, 0.0]], [[1.0, 1.0]])), 4)
        0.3333
    """
    return values(Dice(axis=axis), y_true, y_pred)


def tversky(y_true: Array, y_pred: Array, alpha: float = 0.5, beta: float = 0.5, axis: Axis = None) -> Array:
    """The loss over the axes; see `Tversky`.

    Example:
        >>> round(float(tversky([[1.0, 0.0]], [[1.0, 1.0]], alpha=0.25, beta=0.75)), 4)
        0.4286
    """
    return values(Tversky(alpha, beta, axis=axis), y_true, y_pred)


def binary_crossentropy(
    y_true: Array, y_pred: Array, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Array:
    """The loss of each example; see `BinaryCrossentropy`.

    Example:
        >>> binary_crossentropy([[1.0], [0.0]], [[0.5], [0.5]]).round(4)
        array([0.6931, 0.6931], dtype=float32)
    """
    return values(BinaryCrossentropy(from_logits, label_smoothing, axis), y_true, y_pred)


def binary_focal_crossentropy(
    y_true: Array,
    y_pred: Array,
    apply_class_balancing: bool = False,
    alpha: float = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """The loss of each example; see `BinaryFocalCrossentropy`.

    Example:
        >>> binary_focal_crossentropy([[1.0], [0.0]], [[0.5], [0.9]]).round(4)
        array([0.1733, 1.8651], dtype=float32)
    """
    loss = BinaryFocalCrossentropy(apply_class_balancing, alpha, gamma, from_logits, label_smoothing, axis)
    return values(loss, y_true, y_pred)


def categorical_crossentropy(
    y_true: Array, y_pred: Array, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1
) -> Array:
    """The loss of each example; see `CategoricalCrossentropy`.

    Example:
        >>> categorical_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).round(4)
        array([0.6931], dtype=float32)
    """
    return values(CategoricalCrossentropy(from_logits, label_smoothing, axis), y_true, y_pred)


def categorical_focal_crossentropy(
    y_true: Array,
    y_pred: Array,
    alpha: float | Sequence[float] = 0.25,
    gamma: float = 2.0,
    from_logits: bool = False,
    label_smoothing: float = 0.0,
    axis: int = -1,
) -> Array:
    """The loss of each example; see `CategoricalFocalCrossentropy`.

    Example:
        >>> categorical_focal_crossentropy([[0.0, 1.0]], [[0.5, 0.5]]).round(4)
        array([0.0433], dtype=float32)
    """
    return values(CategoricalFocalCrossentropy(alpha, gamma, from_logits, label_smoothing, axis), y_true, y_pred)


def categorical_generalized_cross_entropy(y_true: Array, y_pred: Array, q: float) -> Array:
    """The loss of each example; see `CategoricalGeneralizedCrossEntropy`.

    Example:
        >>> categorical_generalized_cross_entropy([1], [[0.5, 0.5]], q=0.5).round(4)
        array([0.5858], dtype=float32)
    """
    return values(CategoricalGeneralizedCrossEntropy(q), y_true, y_pred)


def sparse_categorical_crossentropy(
    y_true: Array, y_pred: Array, from_logits: bool = False, ignore_class: int | None = None, axis: int = -1
) -> Array:
    """The loss of each example, 0 where it is ignored; see `SparseCategoricalCrossentropy`.

    Example:
        >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]]).round(4)
        array([0.6931], dtype=float32)
    """
    return values(SparseCategoricalCrossentropy(from_logits, ignore_class, axis=axis), y_true, y_pred)


def values(loss: Loss, y_true: Array, y_pred: Array) -> Array:
    """The values of a loss, for a single example too: arrays with one axis are one example, as in Keras."""
    y_true, y_pred = as_arrays(f"loss '{loss.name}'", y_true=y_true, y_pred=y_pred)
    if y_pred.ndim != 1:
        return loss.per_example(y_true, y_pred)
    result = loss.per_example(y_true[None, ...], y_pred[None, ...])
    return result[0, ...] if result.ndim else result
