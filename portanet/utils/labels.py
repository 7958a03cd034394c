"""Conversion between class indices and one-hot vectors."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.backends import Array, device_of, raw_namespace
from portanet.fused import one_hot
from portanet.utils.numeric import as_numbers


def to_categorical(x: Any, num_classes: int | None = None) -> Array:
    """One-hot vectors of class indices; as `keras.utils.to_categorical`.

    Args:
        x: Class indices from 0, an array of any library or a list; a last axis of size 1 is dropped.
        num_classes: Number of classes; None for the largest index plus 1.

    Returns:
        A float32 array of shape (..., num_classes), of the library of `x` (NumPy for lists).

    Raises:
        ValueError: An index is not in [0, num_classes), or not an integer.

    Example:
        >>> to_categorical([0, 2], 3)
        array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    num_classes = None if num_classes is None else checks.positive_int("num_classes", num_classes, "to_categorical")
    labels = as_numbers(x, "to_categorical")
    xp = raw_namespace(labels)
    if len(labels.shape) > 1 and labels.shape[-1] == 1:
        labels = xp.reshape(labels, tuple(labels.shape[:-1]))
    if 0 in labels.shape:
        if num_classes is None:
            raise ValueError("Argument `num_classes` is required for an empty `x`. Received: num_classes=None")
        return xp.zeros((*labels.shape, num_classes), dtype=xp.float32, device=device_of(labels))
    if xp.isdtype(labels.dtype, "bool"):
        labels = xp.astype(labels, xp.int32)
    if not xp.isdtype(labels.dtype, "integral"):
        if not xp.isdtype(labels.dtype, "real floating") or not bool(xp.all(labels == xp.floor(labels))):
            raise ValueError(
                "Argument `x` of to_categorical must hold integers: class indices. "
                f"Received: dtype {labels.dtype} with other values"
            )
        labels = xp.astype(labels, xp.int32)
    smallest, largest = int(xp.min(labels)), int(xp.max(labels))
    classes = largest + 1 if num_classes is None else num_classes
    if smallest < 0 or largest >= classes:
        raise ValueError(
            f"Argument `x` of to_categorical must hold class indices in [0, {classes - 1}]. "
            f"Received: indices from {smallest} to {largest}"
        )
    return one_hot(labels, classes, xp.float32)


def unhot(x: Any) -> Array:
    """The class index of each one-hot vector or row of scores: the index of the largest value on the last axis.

    Args:
        x: Shape (..., classes), an array of any library or nested lists.

    Example:
        >>> unhot([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
        array([0, 2])
    """
    scores = as_numbers(x, "unhot")
    if len(scores.shape) < 1 or scores.shape[-1] == 0:
        raise ValueError(f"Argument `x` needs an axis of classes. Received: shape {tuple(scores.shape)}")
    return raw_namespace(scores).argmax(scores, axis=-1)
