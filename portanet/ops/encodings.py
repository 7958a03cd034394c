"""Class numbers as arrays of zeros and ones."""

from __future__ import annotations

from typing import Any

from portanet import checks, fused
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.ops.dtypes import find_dtype
from portanet.ops.operation import operation


@operation
def one_hot(x: Array, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Array:
    """One-hot encoding of class numbers; a number out of range gives zeros.

    Args:
        x: Class numbers, any shape.
        num_classes: Number of classes.
        axis: Position of the new axis of classes in the result.
        dtype: Dtype of the result; None for the default floating-point dtype.
        sparse: Must be False: the standard has no sparse arrays.

    Returns:
        Zeros and ones, with one more axis than `x`.

    Example:
        >>> one_hot([0, 2], 3)
        array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    num_classes = checks.positive_int("num_classes", num_classes, "one_hot")
    axis = checks.axis("axis", axis, len(x.shape) + 1, "one_hot")
    require_dense(sparse, "one_hot")
    encoded = fused.one_hot(x, num_classes, find_dtype(dtype, x, "one_hot"))
    return array_namespace(encoded).moveaxis(encoded, -1, axis)


@operation
def multi_hot(
    inputs: Array, num_classes: int | None = None, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Array:
    """Which of the classes are among several class numbers.

    Args:
        inputs: Class numbers, shape (n,) or (batch, n).
        num_classes: Number of classes.
        axis: Position of the axis of classes before the n numbers are combined.
        dtype: Dtype of the result; None for the default floating-point dtype.
        sparse: Must be False.

    Returns:
        Zeros and ones, shape (num_classes,) or (batch, num_classes).

    Example:
        >>> multi_hot([0, 2], 4)
        array([1., 0., 1., 0.], dtype=float32)
    """
    require_dense(sparse, "multi_hot")
    if num_classes is None:
        raise checks.invalid("num_classes", num_classes, "a positive integer", "multi_hot")
    encoded = one_hot(inputs, num_classes, axis, dtype)
    return array_namespace(encoded).max(encoded, axis=1 if len(inputs.shape) > 1 else 0)


def require_dense(sparse: Any, of: str) -> None:
    """Reject `sparse=True`."""
    if checks.boolean("sparse", sparse, of):
        raise checks.invalid("sparse", sparse, "False, since the standard has no sparse arrays", of)
