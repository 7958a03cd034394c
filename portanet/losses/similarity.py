"""Losses that pull similar examples together and push others apart."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.activations import relu
from portanet.autodiff import array_namespace
from portanet.backends import Array, HostArray, device_of
from portanet.losses.base import BuiltInLoss, DType, by_value, require_range
from portanet.losses.classification import IntegerTargets


def distance(squares: Array) -> Array:
    """The square root of sums of squares; the derivative at 0 is 0, and NaN stays NaN."""
    xp = array_namespace(squares)
    zero = squares == 0
    return xp.where(zero, 0.0, xp.sqrt(xp.where(zero, 1.0, squares)))


class Contrastive(BuiltInLoss):
    """`y d^2 + (1 - y) max(0, margin - d)^2` for distances d of pairs (R. Hadsell, S. Chopra and Y. LeCun 2006).

    Args:
        margin: Minimum distance of dissimilar pairs.
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Shapes: `y_true` (1 for similar, 0 for dissimilar) and `y_pred` (distances), both (batch,) or (batch, 1).

    Example:
        >>> import numpy as np
        >>> Contrastive(reduction=None)(np.asarray([1.0, 0.0, 0.0]), np.asarray([0.5, 0.5, 2.0]))
        array([0.25, 0.25, 0.  ])
    """

    def __init__(
        self,
        margin: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.margin = checks.positive("margin", margin, type(self))

    def call(self, y_true: Array, y_pred: Array) -> Array:
        xp = array_namespace(y_true, y_pred)
        values = y_true * xp.square(y_pred) + (1 - y_true) * xp.square(relu(self.margin - y_pred))
        return xp.mean(values, axis=-1) if values.ndim > 1 else values

    @by_value()
    def check_targets(self, y: HostArray, classes: int | None) -> None:
        require_range(f"Loss '{self.name}'", y, 0, 1, "0 (dissimilar) and 1 (similar), or values")


def triplet(anchor: Array, positive: Array, negative: Array, margin: float = 1.0) -> Array:
    """`max(0, |anchor - positive| - |anchor - negative| + margin)` of each example (F. Schroff et al., FaceNet, 2015).

    Args:
        anchor: Embeddings, shape (batch, dimensions).
        positive: Embeddings of examples of the anchors' classes.
        negative: Embeddings of examples of other classes.
        margin: How much farther the negative should be than the positive.

    Returns:
        The losses, shape (batch,).

    Example:
        >>> import numpy as np
        >>> a, p, n = np.asarray([[0.0, 0.0]]), np.asarray([[0.0, 1.0]]), np.asarray([[1.5, 0.0]])
        >>> triplet(a, p, n)
        array([0.5])
    """
    checks.number("margin", margin, of="triplet")
    for array in (anchor, positive, negative):
        array_namespace(array)  # rejects what is none
    if not tuple(anchor.shape) == tuple(positive.shape) == tuple(negative.shape):
        raise ValueError(
            "triplet compares three arrays of the same shape. "
            f"Received: {tuple(anchor.shape)}, {tuple(positive.shape)} and {tuple(negative.shape)}"
        )
    xp = array_namespace(anchor, positive, negative)
    near = distance(xp.sum(xp.square(anchor - positive), axis=-1))
    far = distance(xp.sum(xp.square(anchor - negative), axis=-1))
    return relu(near - far + margin)


class EmbeddingLoss(IntegerTargets):
    """A loss of embeddings, shape (batch, dimensions), and their class numbers."""

    compares_examples = True

    def check_shapes(self, y_true: Any, y_pred: Any) -> None:
        if len(y_pred.shape) != 2:
            raise ValueError(
                f"Loss '{self.name}' compares embeddings of shape (batch, dimensions). "
                f"Received: y_pred of shape {tuple(y_pred.shape)}"
            )
        super().check_shapes(y_true, y_pred)

    @by_value()
    def check_targets(self, y: HostArray, classes: int | None) -> None:
        super().check_targets(y, None)  # the size of an embedding says nothing about the number of classes


class Triplet(EmbeddingLoss):
    """Per example, the farthest example of the same class against the nearest of another: `max(0, farthest - nearest +
    margin)` (A. Hermans, L. Beyer and B. Leibe, In Defense of the Triplet Loss, 2017, "batch hard").

    The loss is 0 for examples without another of their class, or without one of another class, in the batch.

    Args:
        margin: How much farther examples of other classes should be.
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Shapes: `y_true` (batch,), class numbers; `y_pred` (batch, dimensions), embeddings.

    Example:
        >>> import numpy as np
        >>> loss = Triplet(margin=1.0, reduction=None)
        >>> loss(np.asarray([0, 0, 1]), np.asarray([[0.0], [2.0], [2.5]]))
        array([0.5, 2.5, 0. ])
    """

    def __init__(
        self,
        margin: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.margin = checks.positive("margin", margin, type(self))

    def call(self, y_true: Array, y_pred: Array) -> Array:
        xp = array_namespace(y_true, y_pred)
        difference = xp.expand_dims(y_pred, axis=1) - xp.expand_dims(y_pred, axis=0)
        distances = distance(xp.sum(xp.square(difference), axis=-1))
        same = xp.expand_dims(y_true, axis=1) == xp.expand_dims(y_true, axis=0)
        itself = xp.eye(y_pred.shape[0], dtype=xp.int32, device=device_of(y_pred)) > 0
        positives, negatives = same & ~itself, ~same
        farthest = xp.max(xp.where(positives, distances, 0.0), axis=1)
        largest = xp.max(distances)
        nearest = xp.min(xp.where(negatives, distances, largest), axis=1)
        valid = xp.any(positives, axis=1) & xp.any(negatives, axis=1)
        return xp.where(valid, relu(farthest - nearest + self.margin), 0.0)
