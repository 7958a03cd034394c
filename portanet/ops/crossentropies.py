"""Cross-entropies of targets and outputs, with Keras's arguments."""

from __future__ import annotations

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.fused.crossentropy import binary_crossentropy as binary_from_probabilities
from portanet.fused.crossentropy import crossentropy, sigmoid_crossentropy, softmax_crossentropy
from portanet.ops.dtypes import floating
from portanet.ops.encodings import one_hot
from portanet.ops.operation import Operand, operation


@operation
def binary_crossentropy(target: Operand, output: Operand, from_logits: bool = False) -> Array:
    """`-t log(p) - (1 - t) log(1 - p)` of each element, p being the output, clipped to [1e-7, 1 - 1e-7].

    Args:
        target: Probabilities.
        output: Values between 0 and 1, or logits, in the shape of the targets.
        from_logits: Whether `output` holds logits.

    Example:
        >>> binary_crossentropy([0.0, 1.0, 1.0], [0.0, 1.0, 0.5]).round(4)
        array([0.    , 0.    , 0.6931], dtype=float32)
    """
    target, output = floating(target), floating(output)
    _require_one_shape(target, output, "binary_crossentropy")
    return (sigmoid_crossentropy if from_logits else binary_from_probabilities)(target, output)


def _require_one_shape(target: Array, output: Array, of: str) -> None:
    if tuple(target.shape) != tuple(output.shape):
        raise ValueError(
            f"Arguments `target` and `output` of {of} must have one shape. "
            f"Received: target of shape {tuple(target.shape)}, output of shape {tuple(output.shape)}"
        )


@operation
def categorical_crossentropy(target: Operand, output: Operand, from_logits: bool = False, axis: int = -1) -> Array:
    """`-sum(t log(p))` over an axis of classes, p being the outputs, scaled to sum to 1.

    Args:
        target: Probabilities of the classes.
        output: Non-negative values, or logits, in the shape of the targets.
        from_logits: Whether `output` holds logits.
        axis: The axis of the classes.

    Example:
        >>> categorical_crossentropy([[1.0, 0.0]], [[0.5, 0.5]]).round(4)
        array([0.6931], dtype=float32)
    """
    target, output = floating(target), floating(output)
    _require_one_shape(target, output, "categorical_crossentropy")
    checks.axis("axis", axis, len(output.shape), "categorical_crossentropy")
    xp = array_namespace(target, output)
    target, output = xp.moveaxis(target, axis, -1), xp.moveaxis(output, axis, -1)
    return (softmax_crossentropy if from_logits else crossentropy)(target, output)


@operation
def sparse_categorical_crossentropy(target: Array, output: Array, from_logits: bool = False, axis: int = -1) -> Array:
    """`categorical_crossentropy` for class numbers.

    Args:
        target: Class numbers, in the shape of the output without the axis of classes, or with size 1 there.
        output: Non-negative values, or logits.
        from_logits: Whether `output` holds logits.
        axis: The axis of the classes.

    Example:
        >>> sparse_categorical_crossentropy([1], [[0.5, 0.5]]).round(4)
        array([0.6931], dtype=float32)
    """
    output = floating(output)
    rank = len(output.shape)
    place = checks.axis("axis", axis, rank, "sparse_categorical_crossentropy") % rank
    xp = array_namespace(output)
    if len(target.shape) == rank and target.shape[place] == 1:
        target = array_namespace(target).squeeze(target, axis=place)
    expected = tuple(n for i, n in enumerate(output.shape) if i != place)
    if tuple(target.shape) != expected:
        raise ValueError(
            f"Argument `target` of sparse_categorical_crossentropy must have shape {expected}, that of `output` "
            f"without the classes. Received: target of shape {tuple(target.shape)}"
        )
    encoded = one_hot(target, output.shape[place], dtype=output.dtype)
    output = xp.moveaxis(output, place, -1)
    return (softmax_crossentropy if from_logits else crossentropy)(encoded, output)
