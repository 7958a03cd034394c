"""The circle loss: embeddings of a class are pulled together, others pushed apart, most where most is missing."""

from __future__ import annotations

from portanet import checks
from portanet.activations import relu, softplus
from portanet.autodiff import array_namespace
from portanet.autodiff.special import logsumexp
from portanet.backends import Array, device_of
from portanet.losses.base import DType, as_arrays
from portanet.losses.similarity import EmbeddingLoss

NOTHING = -1e30
"""The logarithm of a sum without terms; finite, so that it has a derivative."""


class Circle(EmbeddingLoss):
    """`log(1 + sum exp(gamma a_n (d_n)) sum exp(gamma a_p (d_p)))` over the other examples of a batch; as in Keras.

    d are cosine distances: examples of another class count with `a_n = max(0, 1 + margin - d)` times
    `1 - margin - d`, and those of the same class with `a_p = margin + d` times `d - margin`. The mean is that of the
    examples whose loss is not 0.

    Source: Y. Sun et al., Circle loss: a unified perspective of pair similarity optimization, 2020.

    Args:
        gamma: Scale of the similarities.
        margin: The distance that is aimed for within a class; that to other classes is 1 less it.
        remove_diagonal: Whether to leave out the pair of an example with itself.
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Shapes: `y_true` (batch,) or (batch, 1), class numbers; `y_pred` (batch, dimensions), embeddings of norm 1, such
    as those of `layers.UnitNormalization`.

    Example:
        >>> import numpy as np
        >>> embeddings = np.asarray([[1.0, 0.0], [0.8, 0.6], [0.0, 1.0]])
        >>> Circle(gamma=1.0, reduction=None)(np.asarray([0, 0, 1]), embeddings).round(4)
        array([0.5629, 0.7339, 0.    ])
    """

    def __init__(
        self,
        gamma: float = 80.0,
        margin: float = 0.4,
        remove_diagonal: bool = True,
        reduction: str | None = "sum_over_batch_size",
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(reduction, name, dtype)
        self.gamma = checks.positive("gamma", gamma, type(self))
        self.margin = checks.number("margin", margin, of=type(self))
        self.remove_diagonal = checks.boolean("remove_diagonal", remove_diagonal, type(self))

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return self.between(y_true, y_pred, y_true, y_pred)

    def between(self, labels: Array, embeddings: Array, ref_labels: Array, ref_embeddings: Array) -> Array:
        """The loss of each example, compared with references; their numbers are those of the diagonal."""
        xp = array_namespace(embeddings, ref_embeddings)
        distances = relu(1 - embeddings @ xp.matrix_transpose(ref_embeddings))
        same = xp.expand_dims(labels, axis=1) == xp.expand_dims(ref_labels, axis=0)
        positives = same
        if self.remove_diagonal:
            eye = xp.eye(same.shape[0], same.shape[1], dtype=xp.int32, device=device_of(same))
            positives = same & (eye == 0)
        near = relu(self.margin + distances) * (distances - self.margin)
        far = relu(1 + self.margin - distances) * (1 - self.margin - distances)
        return softplus(
            logsumexp(xp.where(positives, self.gamma * near, NOTHING), axis=1)
            + logsumexp(xp.where(same, NOTHING, self.gamma * far), axis=1)
        )

    def counted(self, values: Array) -> Array:
        return values > 0


def circle(
    y_true: Array,
    y_pred: Array,
    ref_labels: Array | None = None,
    ref_embeddings: Array | None = None,
    remove_diagonal: bool = True,
    gamma: float = 80,
    margin: float = 0.4,
) -> Array:
    """The circle loss of each example; see `Circle`.

    Args:
        y_true: Class numbers, shape (batch,) or (batch, 1).
        y_pred: Embeddings of norm 1, shape (batch, dimensions).
        ref_labels: Class numbers of the references; by default `y_true`.
        ref_embeddings: What examples are compared with, shape (references, dimensions); by default `y_pred`.
        remove_diagonal: Whether to leave out the pair of an example with the reference of its number.
        gamma: See `Circle`.
        margin: See `Circle`.

    Returns:
        The losses, shape (batch,).

    Example:
        >>> import numpy as np
        >>> embeddings = np.asarray([[1.0, 0.0], [0.0, 1.0]])
        >>> circle([0, 1], embeddings, [1, 0], embeddings, remove_diagonal=False, gamma=1.0).round(4)
        array([1.8509, 1.8509])
    """
    loss = Circle(gamma, margin, remove_diagonal)
    owner = "loss 'circle'"
    y_pred, y_true, ref_embeddings, ref_labels = as_arrays(
        owner, y_pred=y_pred, y_true=y_true, ref_embeddings=ref_embeddings, ref_labels=ref_labels
    )
    if (ref_labels is None) != (ref_embeddings is None):
        given = "ref_embeddings" if ref_labels is None else "ref_labels"
        raise ValueError(f"circle takes both `ref_labels` and `ref_embeddings`, or neither. Received: {given} alone")
    if ref_labels is None or ref_embeddings is None:
        return loss.per_example(y_true, y_pred)
    loss.check_shapes(y_true, y_pred)
    loss.check_shapes(ref_labels, ref_embeddings)
    if y_pred.shape[1] != ref_embeddings.shape[1]:
        raise ValueError(
            "circle compares embeddings of one size. "
            f"Received: y_pred of shape {tuple(y_pred.shape)}, ref_embeddings of shape {tuple(ref_embeddings.shape)}"
        )
    return loss.between(loss.prepare(y_true, y_pred), y_pred, loss.prepare(ref_labels, ref_embeddings), ref_embeddings)
