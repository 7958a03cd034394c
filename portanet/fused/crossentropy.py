"""Cross-entropies with hand-written adjoints: few operations, no overflow, no logarithm of 0."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, custom_vjp, lift, unwrap
from portanet.backends import Array, device_of, overridable


def tiny(x: Array) -> float:
    """Distance from 0 (and 1) to which probabilities are clipped: 1e-7, as in Keras; more in half precision, where
    1 - 1e-7 is 1.
    """
    return max(1e-7, 0.5 * float(array_namespace(x).finfo(x.dtype).eps))


@custom_vjp
@overridable
def softmax_crossentropy(targets: Array, logits: Array) -> Any:
    """`-sum(targets * log_softmax(logits))` over the last axis; the derivative is `softmax(logits) - targets`.

    Args:
        targets: Probabilities, of the same shape and dtype as `logits`.
        logits: Unnormalised log-probabilities, shape (..., classes).

    Returns:
        The losses, shape (...,).

    Example:
        >>> import numpy as np
        >>> softmax_crossentropy(np.asarray([[1.0, 0.0]]), np.asarray([[0.0, 0.0]])).round(6)
        array([0.693147])
    """
    array_namespace(targets)  # rejects numbers
    xp = array_namespace(logits, targets)
    shifted = logits - xp.max(logits, axis=-1, keepdims=True)
    e = xp.exp(shifted)
    total = xp.sum(e, axis=-1, keepdims=True)
    log_p = shifted - xp.log(total)

    def pullback(g: Array) -> tuple[Any, Any]:
        xp = array_namespace(g, logits, targets)
        g = xp.expand_dims(g, axis=-1)
        mass = xp.sum(targets, axis=-1, keepdims=True)
        return (lambda: -g * log_p), g * ((e / total) * mass - targets)

    return -xp.sum(targets * log_p, axis=-1), pullback


@custom_vjp
@overridable
def crossentropy(targets: Array, probabilities: Array) -> Any:
    """`-sum(targets * log(p))` over the last axis, p being the probabilities, at least 1e-7 each, scaled to sum to 1.

    Args:
        targets: Probabilities, of the same shape and dtype as `probabilities`.
        probabilities: Non-negative values, shape (..., classes).

    Returns:
        The losses, shape (...,); finite for any finite input.

    Example:
        >>> import numpy as np
        >>> crossentropy(np.asarray([[0.99, 0.99, 0.01]]), np.asarray([[0.01, 0.01, 0.01]])).round(6)
        array([2.186238])
    """
    array_namespace(targets)  # rejects numbers
    xp = array_namespace(probabilities, targets)
    low = tiny(probabilities)
    p = xp.maximum(probabilities, low)
    total = xp.sum(p, axis=-1, keepdims=True)
    log_p = xp.log(p / total)

    def pullback(g: Array) -> tuple[Any, Any]:
        xp = array_namespace(g, probabilities, targets)
        g = xp.expand_dims(g, axis=-1)
        mass = xp.sum(targets, axis=-1, keepdims=True)
        return (lambda: -g * log_p), xp.where(probabilities > low, g * (mass / total - targets / p), 0.0)

    return -xp.sum(targets * log_p, axis=-1), pullback


@custom_vjp
def sigmoid_crossentropy(targets: Array, logits: Array) -> Any:
    """`-t log(p) - (1 - t) log(1 - p)` of each element, for p = sigmoid(logits); the derivative is `p - t`.

    Computed as `max(z, 0) - z t + log(1 + exp(-|z|))`.

    Args:
        targets: Probabilities, of the same shape and dtype as `logits`.
        logits: Unnormalised log-probabilities.

    Example:
        >>> import numpy as np
        >>> sigmoid_crossentropy(np.asarray([1.0, 0.0]), np.asarray([0.0, 1000.0])).round(6)
        array([6.93147e-01, 1.00000e+03])
    """
    array_namespace(targets)  # rejects numbers
    xp = array_namespace(logits, targets)
    values = xp.maximum(logits, 0.0) - logits * targets + xp.log1p(xp.exp(-xp.abs(logits)))

    def pullback(g: Array) -> tuple[Any, Any]:
        xp = array_namespace(g, logits, targets)
        return (lambda: -g * logits), g * (0.5 * xp.tanh(0.5 * logits) + 0.5 - targets)

    return values, pullback


@custom_vjp
def binary_crossentropy(target: Array, output: Array) -> Any:
    """`-t log(p) - (1 - t) log(1 - p)` of each element, p being the output, clipped to [1e-7, 1 - 1e-7].

    Args:
        target: Probabilities, of the same shape and dtype as `output`.
        output: Values between 0 and 1.

    Example:
        >>> import numpy as np
        >>> binary_crossentropy(np.asarray([0.0, 1.0, 1.0]), np.asarray([0.0, 1.0, 0.5])).round(6)
        array([0.      , 0.      , 0.693147])
    """
    array_namespace(target)  # rejects numbers
    xp = array_namespace(output, target)
    low = tiny(output)
    p = xp.minimum(xp.maximum(output, low), 1 - low)
    log_p, log_q = xp.log(p), xp.log(1 - p)

    def pullback(g: Array) -> tuple[Any, Any]:
        xp = array_namespace(g, output, target)
        inside = (output > low) & (output < 1 - low)
        return (lambda: g * (log_q - log_p)), xp.where(inside, g * ((p - target) / (p * (1 - p))), 0.0)

    return -(target * log_p + (1 - target) * log_q), pullback


def one_hot(labels: Array, classes: int, dtype: Any) -> Array:
    """One-hot encoding of class numbers, shape (..., classes); a number out of range gives zeros.

    Example:
        >>> import numpy as np
        >>> one_hot(np.asarray([0, 2]), 3, np.float32)
        array([[1., 0., 0.],
               [0., 0., 1.]], dtype=float32)
    """
    plain = unwrap(labels)  # class numbers have no derivative
    xp = array_namespace(plain)
    if type(classes) is not int or classes < 1:
        classes = checks.positive_int("classes", classes, "one_hot")
    numbers = xp.arange(classes, dtype=plain.dtype, device=device_of(plain))
    encoded = xp.astype(plain[..., None] == numbers, dtype)
    return encoded if plain is labels else lift(encoded)
