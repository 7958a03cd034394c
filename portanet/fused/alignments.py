"""The probability of a sequence of labels, summed over all its alignments with time steps."""

from __future__ import annotations

from portanet.autodiff import array_namespace, is_traced, lift
from portanet.backends import Array, device_of
from portanet.fused.crossentropy import one_hot

IMPOSSIBLE = -1e30
"""The logarithm of a probability of 0: far below any other, but finite, since differences of infinities are NaN."""


def alignments(
    labels: Array, log_p: Array, label_lengths: Array, input_lengths: Array | None = None, blank: int = 0
) -> Array:
    """Negative logarithm of the probability, by the forward recursion of connectionist temporal classification.

    Args:
        labels: Class numbers, shape (batch, length), integers; entries beyond a sequence's length are ignored.
        log_p: Log-probabilities, shape (batch, time, classes).
        label_lengths: Number of labels of each sequence, shape (batch,), integers.
        input_lengths: Number of time steps of each sequence, shape (batch,), integers; None for all.
        blank: The class of the blank.

    Returns:
        Shape (batch,); 1e30 where too few time steps allow no alignment.

    Example:
        >>> import numpy as np
        >>> log_p = np.log(np.full((1, 2, 2), 0.5))
        >>> float(np.exp(-alignments(np.asarray([[1]]), log_p, np.asarray([1]))[0]).round(6))
        0.75
    """
    given = [x for x in (log_p, labels, label_lengths, input_lengths) if x is not None]
    xp = array_namespace(*given)
    if any(map(is_traced, given)):  # not every library leaves `plain - traced` to the right operand
        labels, label_lengths, input_lengths = lift(labels), lift(label_lengths), lift(input_lengths)
    (batch, time, classes), length = log_p.shape, labels.shape[1]
    count = 2 * length + 1
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
