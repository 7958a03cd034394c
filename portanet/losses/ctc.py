"""Connectionist temporal classification: the probability of a sequence of labels, summed over all alignments."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.activations import log_softmax
from portanet.autodiff import array_namespace
from portanet.backends import Array, HostArray
from portanet.fused.alignments import alignments
from portanet.losses.base import BuiltInLoss


class CTC(BuiltInLoss):
    """Negative log-likelihood of label sequences, summed over all their alignments with the time steps.

    Source: A. Graves et al., Connectionist Temporal Classification (2006).

    Args:
        reduction: See `Loss`.
        name: Name shown in logs.
        dtype: See `Loss`.

    Shapes: `y_true` (batch, length), class numbers from 1, padded with 0, the blank; `y_pred` (batch,
    time, classes), logits.

    Example:
        >>> import numpy as np
        >>> loss = CTC()(np.asarray([[1]]), np.zeros((1, 2, 2)))
        >>> float(np.exp(-loss).round(6))
        0.75
    """

    integer_targets = True

    def check_shapes(self, y_true: Any, y_pred: Any) -> None:
        true, pred = tuple(y_true.shape), tuple(y_pred.shape)
        if len(true) != 2 or len(pred) != 3 or true[0] != pred[0]:
            raise ValueError(
                f"Loss '{self.name}' needs targets of shape (batch, length), logits of shape (batch, time, classes). "
                f"Received: y_true of shape {true}, y_pred of shape {pred}"
            )

    def check_targets(self, y: HostArray, classes: int | None) -> None:
        if y.min() < 0 or (classes is not None and y.max() >= classes):
            limit = "" if classes is None else f" to {classes - 1}"
            raise ValueError(
                f"Loss '{self.name}' needs class numbers from 1{limit}, padded with 0. "
                f"Received: y from {y.min()} to {y.max()}"
            )
        if ((y[..., :-1] == 0) & (y[..., 1:] != 0)).any():
            raise ValueError(f"Loss '{self.name}' needs the padding, 0, after the labels. Received: a label after a 0")

    def prepare(self, y_true: Array, y_pred: Array) -> Array:
        xp = array_namespace(y_true)
        return y_true if xp.isdtype(y_true.dtype, "integral") else xp.astype(y_true, xp.int32)

    def call(self, y_true: Array, y_pred: Array) -> Array:
        return ctc(y_true, y_pred)


def ctc(
    y_true: Array,
    y_pred: Array,
    label_lengths: Array | None = None,
    input_lengths: Array | None = None,
    blank: int = 0,
) -> Array:
    """The loss of `CTC` for given lengths, by the forward recursion in logarithms.

    Args:
        y_true: Class numbers, shape (batch, length), integers; entries beyond a sequence's length are ignored.
        y_pred: Unnormalised log-probabilities, shape (batch, time, classes).
        label_lengths: Number of labels of each sequence, shape (batch,), integers; None for those that are not 0.
        input_lengths: Number of time steps of each sequence, shape (batch,), integers; None for all.
        blank: The class of the blank.

    Returns:
        The losses, shape (batch,); 1e30 where too few time steps allow no alignment.

    Example:
        >>> import numpy as np
        >>> loss = ctc(np.asarray([[1]]), np.zeros((1, 2, 2)), np.asarray([1]))
        >>> float(np.exp(-loss[0]).round(6))
        0.75
    """
    checks.integer("blank", blank, "ctc", least=0)
    for array in (y_pred, y_true, *(lengths for lengths in (label_lengths, input_lengths) if lengths is not None)):
        array_namespace(array)  # rejects what is none
    if len(y_pred.shape) != 3 or len(y_true.shape) != 2 or y_pred.shape[0] != y_true.shape[0]:
        raise ValueError(
            "ctc needs `y_pred` of shape (batch, time, classes) and `y_true` of shape (batch, length). "
            f"Received: y_pred of shape {tuple(y_pred.shape)}, y_true of shape {tuple(y_true.shape)}"
        )
    for name, lengths in (("label_lengths", label_lengths), ("input_lengths", input_lengths)):
        if lengths is not None and tuple(lengths.shape) != (y_pred.shape[0],):
            raise ValueError(
                f"Argument `{name}` of ctc must have shape (batch,), {(y_pred.shape[0],)}. "
                f"Received: shape {tuple(lengths.shape)}"
            )
    if label_lengths is None:
        xp = array_namespace(y_true)
        label_lengths = xp.sum(xp.astype(y_true != 0, y_true.dtype), axis=1, dtype=y_true.dtype)
    return alignments(y_true, log_softmax(y_pred), label_lengths, input_lengths, blank)
