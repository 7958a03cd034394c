"""Cross-entropy of a softmax, fused: the derivative is `softmax(logits) - targets`, with nothing that can overflow."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace, custom_vjp
from portanet.backends import Array, device_of


@custom_vjp
def softmax_crossentropy(logits: Array, targets: Array) -> Any:
    """`-sum(targets * log_softmax(logits))` over the last axis.

    Args:
        logits: Unnormalised log-probabilities, shape (..., classes).
        targets: Probabilities of the same shape and dtype.

    Returns:
        The losses, shape (...,).

    Example:
        >>> import numpy as np
        >>> softmax_crossentropy(np.asarray([[0.0, 0.0]]), np.asarray([[1.0, 0.0]])).round(6)
        array([0.693147])
    """
    xp = array_namespace(logits, targets)
    shifted = logits - xp.max(logits, axis=-1, keepdims=True)
    e = xp.exp(shifted)
    total = xp.sum(e, axis=-1, keepdims=True)
    log_p = shifted - xp.log(total)

    def pullback(g: Array) -> tuple[Array, Array]:
        xp = array_namespace(g, logits, targets)
        g = xp.expand_dims(g, axis=-1)
        mass = xp.sum(targets, axis=-1, keepdims=True)
        return g * ((e / total) * mass - targets), -g * log_p

    return -xp.sum(targets * log_p, axis=-1), pullback


def one_hot(labels: Array, classes: int, dtype: Any) -> Array:
    """Indicator of each class number, shape (..., classes); a number out of range gives zeros.

    Example:
        >>> import numpy as np
        >>> one_hot(np.asarray([0, 2]), 3, np.float32)
        array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    xp = array_namespace(labels)
    places = xp.arange(classes, dtype=labels.dtype, device=device_of(labels))
    return xp.astype(xp.expand_dims(labels, axis=-1) == places, dtype)
