"""Memory addressing, reading and writing in a neural Turing machine (Graves, Wayne and Danihelka 2014).

A memory has shape (..., locations, width), a weighting over its locations (..., locations), with leading batch axes.
"""

from __future__ import annotations

from portanet.autodiff import array_namespace, stop_gradient
from portanet.backends import Array


def address_by_content(memory: Array, key: Array, strength: Array) -> Array:
    """A weighting by similarity: the softmax of `strength` times the cosine similarity of key and location.

    Args:
        memory: Shape (..., locations, width).
        key: The content to look for, shape (..., width).
        strength: Sharpness, positive, shape (..., 1).

    Returns:
        A weighting, shape (..., locations).

    Example:
        >>> import numpy as np
        >>> memory = np.asarray([[1.0, 0.0], [0.0, 1.0]])
        >>> address_by_content(memory, np.asarray([0.0, 2.0]), np.asarray([10.0])).round(4)
        array([0., 1.])
    """
    xp = array_namespace(memory, key, strength)
    product = xp.sum(xp.multiply(memory, xp.expand_dims(key, axis=-2)), axis=-1)
    lengths = xp.multiply(xp.sum(memory * memory, axis=-1), xp.sum(key * key, axis=-1, keepdims=True))
    cosine = xp.divide(product, xp.sqrt(xp.maximum(lengths, 1e-16)))
    return _softmax(xp.multiply(strength, cosine))


def _softmax(x: Array) -> Array:
    xp = array_namespace(x)
    e = xp.exp(x - stop_gradient(xp.max(x, axis=-1, keepdims=True)))
    return e / xp.sum(e, axis=-1, keepdims=True)


def shift(weighting: Array, shifts: Array) -> Array:
    """A weighting shifted over the locations: its circular convolution with the weights of the shifts -k, ..., k.

    Args:
        weighting: Shape (..., locations).
        shifts: Weight of each shift, shape (..., 2k + 1).

    Raises:
        ValueError: The number of shifts is even.

    Example:
        >>> import numpy as np
        >>> shift(np.asarray([0.0, 1.0, 0.0, 0.0]), np.asarray([0.1, 0.8, 0.1]))
        array([0.1, 0.8, 0.1, 0. ])
    """
    count = shifts.shape[-1]
    if count % 2 == 0:
        raise ValueError(
            "Argument `shifts` must have an odd number of weights on its last axis, for the shifts -k to k. "
            f"Received: shape {tuple(shifts.shape)}"
        )
    xp = array_namespace(weighting, shifts)
    moved = [xp.multiply(xp.roll(weighting, i - count // 2, axis=-1), shifts[..., i : i + 1]) for i in range(count)]
    return sum(moved[1:], moved[0])


def sharpen(weighting: Array, gamma: Array) -> Array:
    """`weighting ** gamma`, scaled to sum to 1, to undo the blur of a shift.

    Computed as the softmax of `gamma * log(weighting)`, which is differentiable at weights of 0 too.

    Args:
        weighting: Non-negative, shape (..., locations).
        gamma: At least 1, shape (..., 1).

    Example:
        >>> import numpy as np
        >>> sharpen(np.asarray([0.1, 0.8, 0.1]), np.asarray([2.0])).round(4)
        array([0.0152, 0.9697, 0.0152])
    """
    xp = array_namespace(weighting, gamma)
    return _softmax(xp.multiply(gamma, xp.log(xp.maximum(weighting, 1e-30))))


def read(memory: Array, weighting: Array) -> Array:
    """The weighted mean of the locations, shape (..., width).

    Example:
        >>> import numpy as np
        >>> read(np.asarray([[1.0, 2.0], [3.0, 4.0]]), np.asarray([0.5, 0.5]))
        array([2., 3.])
    """
    xp = array_namespace(memory, weighting)
    return xp.matmul(xp.expand_dims(weighting, axis=-2), memory)[..., 0, :]


def write(memory: Array, weighting: Array, erase: Array, add: Array) -> Array:
    """The memory after a write: each location is multiplied by `1 - w erase`, then `w add` is added to it.

    Args:
        memory: Shape (..., locations, width).
        weighting: `w` above, shape (..., locations).
        erase: Fraction of each column to erase, in [0, 1], shape (..., width).
        add: Values to add, shape (..., width).

    Example:
        >>> import numpy as np
        >>> write(np.ones((2, 2)), np.asarray([0.0, 1.0]), np.asarray([1.0, 0.0]), np.asarray([5.0, 5.0]))
        array([[1., 1.],
               [5., 6.]])
    """
    xp = array_namespace(memory, weighting, erase, add)
    w = xp.expand_dims(weighting, axis=-1)
    kept = xp.multiply(memory, 1 - xp.multiply(w, xp.expand_dims(erase, axis=-2)))
    return xp.add(kept, xp.multiply(w, xp.expand_dims(add, axis=-2)))
