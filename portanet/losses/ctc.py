"""Connectionist temporal classification: the probability of a sequence of labels, summed over all alignments."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.activations import log_softmax
from portanet.autodiff import array_namespace, is_traced, lift
from portanet.backends import Array, HostArray, device_of
from portanet.fused import one_hot
from portanet.losses.base import BuiltInLoss

IMPOSSIBLE = -1e30
"""The logarithm of a probability of 0: far below any other, but finite, since differences of infinities are NaN."""


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
        xp = array_namespace(y_true)
        return ctc(y_true, y_pred, xp.sum(xp.astype(y_true != 0, y_true.dtype), axis=1, dtype=y_true.dtype))


def ctc(
    labels: Array, logits: Array, label_lengths: Array, input_lengths: Array | None = None, blank: int = 0
) -> Array:
    """The loss of `CTC` for given lengths, by the forward recursion in logarithms.

    Args:
        labels: Class numbers, shape (batch, length), integers; entries beyond a sequence's length are ignored.
        logits: Unnormalised log-probabilities, shape (batch, time, classes).
        label_lengths: Number of labels of each sequence, shape (batch,), integers.
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
    for array in (logits, labels, label_lengths, *(() if input_lengths is None else (input_lengths,))):
        array_namespace(array)  # rejects what is none
    if len(logits.shape) != 3 or len(labels.shape) != 2 or logits.shape[0] != labels.shape[0]:
        raise ValueError(
            "ctc needs `logits` of shape (batch, time, classes) and `labels` of shape (batch, length). "
            f"Received: logits of shape {tuple(logits.shape)}, labels of shape {tuple(labels.shape)}"
        )
    for name, lengths in (("label_lengths", label_lengths), ("input_lengths", input_lengths)):
        if lengths is not None and tuple(lengths.shape) != (logits.shape[0],):
            raise ValueError(
                f"Argument `{name}` of ctc must have shape (batch,), {(logits.shape[0],)}. "
                f"Received: shape {tuple(lengths.shape)}"
            )
    xp = array_namespace(logits, labels)
    if is_traced(logits):  # not every library leaves `plain - traced` to the right operand
        labels, label_lengths, input_lengths = lift(labels), lift(label_lengths), lift(input_lengths)
    (batch, time, classes), length = logits.shape, labels.shape[1]
    count = 2 * length + 1
    log_p = log_softmax(logits)
    # One state per label, and per blank before, between and after them.
    blanks = xp.full((batch, length + 1), blank, dtype=labels.dtype, device=device_of(labels))
    states = xp.stack([blanks, xp.concat([labels, blanks[:, :1]], axis=1)], axis=2)
    states = xp.reshape(states, (batch, 2 * length + 2))[:, :count]
    emitted = xp.matmul(log_p, xp.matrix_transpose(one_hot(states, classes, log_p.dtype)))
    # A label may follow another without a blank, unless they are equal.
    skips = (states[:, 2:] != blank) & (states[:, 2:] != states[:, :-2]) if length else None

    def impossible(states: int) -> Array:
        return xp.full((batch, states), IMPOSSIBLE, dtype=log_p.dtype, device=device_of(log_p))

    alpha = xp.concat([emitted[:, 0, : min(2, count)], impossible(max(count - 2, 0))], axis=1)
    for t in range(1, time):
        total = alpha
        if skips is not None:
            total = xp.logaddexp(total, xp.concat([impossible(1), alpha[:, :-1]], axis=1))
            skipped = xp.where(skips, alpha[:, :-2], IMPOSSIBLE)
            total = xp.logaddexp(total, xp.concat([impossible(2), skipped], axis=1))
        new = total + emitted[:, t, :]
        alpha = new if input_lengths is None else xp.where(xp.expand_dims(input_lengths > t, axis=1), new, alpha)
    positions = xp.arange(count, dtype=label_lengths.dtype, device=device_of(label_lengths))
    remaining = 2 * xp.expand_dims(label_lengths, axis=1) - xp.expand_dims(positions, axis=0)
    ends = xp.where((remaining == 0) | (remaining == 1), alpha, IMPOSSIBLE)
    highest = xp.max(ends, axis=1, keepdims=True)
    return -(xp.log(xp.sum(xp.exp(ends - highest), axis=1)) + highest[:, 0])
