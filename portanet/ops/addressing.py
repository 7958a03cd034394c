"""Memory addressing, reading and writing in a neural Turing machine (Graves, Wayne and Danihelka 2014).

A memory has shape (..., locations, width), a weighting over its locations (..., locations), with leading batch axes.
"""

from __future__ import annotations

from portanet import checks
from portanet.activations import softmax
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.ops.dtypes import floating
from portanet.ops.operation import Operand, operation


@operation
def address_by_content(memory: Operand, key: Operand, strength: Operand) -> Array:
    """A weighting by similarity: the softmax of `strength` times the cosine similarity of key and location.

    Args:
        memory: Shape (..., locations, width).
        key: The content to look for, shape (..., width).
        strength: Sharpness, positive: a number, or shape (..., 1).

    Returns:
        A weighting, shape (..., locations).

    Raises:
        ValueError: The key has another width than the memory.

    Example:
        >>> address_by_content([[1.0, 0.0], [0.0, 1.0]], [0.0, 2.0], 10.0).round(4)
        array([0., 1.], dtype=float32)
    """
    memory, key, strength = floating(memory), floating(key), floating(strength)
    _require_memory(memory, "address_by_content")
    _require(key, "key", memory.shape[-1], "the width of the memory", "address_by_content")
    xp = array_namespace(memory, key, strength)
    product = xp.sum(xp.multiply(memory, xp.expand_dims(key, axis=-2)), axis=-1)
    lengths = xp.multiply(xp.sum(memory * memory, axis=-1), xp.sum(key * key, axis=-1, keepdims=True))
    cosine = xp.divide(product, xp.sqrt(_at_least(lengths, 1e-16)))
    return softmax(xp.multiply(strength, cosine))


@operation
def shift_weighting(weighting: Operand, shifts: Operand) -> Array:
    """A weighting moved along the locations: its circular convolution with the weights of the shifts -k, ..., k.

    Args:
        weighting: Shape (..., locations).
        shifts: Weight of each shift, shape (..., 2k + 1).

    Raises:
        ValueError: The number of shifts is even.

    Example:
        >>> shift_weighting([0.0, 1.0, 0.0, 0.0], [0.1, 0.8, 0.1])
        array([0.1, 0.8, 0.1, 0. ], dtype=float32)
    """
    weighting, shifts = floating(weighting), floating(shifts)
    if shifts.ndim == 0 or shifts.shape[-1] % 2 == 0:
        expected = "an array with an odd number of weights on its last axis, for the shifts -k to k"
        raise checks.invalid("shifts", tuple(shifts.shape), expected, "ops.shift_weighting")
    xp = array_namespace(weighting, shifts)
    count = shifts.shape[-1]
    moved = [xp.multiply(xp.roll(weighting, i - count // 2, axis=-1), shifts[..., i : i + 1]) for i in range(count)]
    return sum(moved[1:], moved[0])


@operation
def sharpen_weighting(weighting: Operand, gamma: Operand) -> Array:
    """`weighting ** gamma`, scaled to sum to 1, to undo the blur of a shift.

    Computed as the softmax of `gamma * log(weighting)`, which is differentiable at weights of 0 too.

    Args:
        weighting: Non-negative, shape (..., locations).
        gamma: At least 1: a number, or shape (..., 1).

    Example:
        >>> sharpen_weighting([0.1, 0.8, 0.1], 2.0).round(4)
        array([0.0152, 0.9697, 0.0152], dtype=float32)
    """
    weighting, gamma = floating(weighting), floating(gamma)
    xp = array_namespace(weighting, gamma)
    return softmax(xp.multiply(gamma, xp.log(_at_least(weighting, 1e-30))))


@operation
def read_memory(memory: Operand, weighting: Operand) -> Array:
    """The weighted mean of the locations, shape (..., width).

    Args:
        memory: Shape (..., locations, width).
        weighting: Shape (..., locations).

    Raises:
        ValueError: The weighting is for another number of locations.

    Example:
        >>> read_memory([[1.0, 2.0], [3.0, 4.0]], [0.5, 0.5])
        array([2., 3.], dtype=float32)
    """
    memory, weighting = floating(memory), floating(weighting)
    _require_memory(memory, "read_memory")
    _require(weighting, "weighting", memory.shape[-2], "the locations of the memory", "read_memory")
    xp = array_namespace(memory, weighting)
    return xp.matmul(xp.expand_dims(weighting, axis=-2), memory)[..., 0, :]


@operation
def write_memory(memory: Operand, weighting: Operand, erase: Operand, add: Operand) -> Array:
    """The memory after a write: each location is multiplied by `1 - w erase`, then `w add` is added to it.

    Args:
        memory: Shape (..., locations, width).
        weighting: `w` above, shape (..., locations).
        erase: Fraction of each column to erase, in [0, 1], shape (..., width).
        add: Values to add, shape (..., width).

    Raises:
        ValueError: An argument has another size than the memory.

    Example:
        >>> write_memory([[1.0, 1.0], [1.0, 1.0]], [0.0, 1.0], [1.0, 0.0], [5.0, 5.0])
        array([[1., 1.],
               [5., 6.]], dtype=float32)
    """
    memory, weighting, erase, add = floating(memory), floating(weighting), floating(erase), floating(add)
    _require_memory(memory, "write_memory")
    _require(weighting, "weighting", memory.shape[-2], "the locations of the memory", "write_memory")
    _require(erase, "erase", memory.shape[-1], "the width of the memory", "write_memory")
    _require(add, "add", memory.shape[-1], "the width of the memory", "write_memory")
    xp = array_namespace(memory, weighting, erase, add)
    w = xp.expand_dims(weighting, axis=-1)
    kept = xp.multiply(memory, 1 - xp.multiply(w, xp.expand_dims(erase, axis=-2)))
    return xp.add(kept, xp.multiply(w, xp.expand_dims(add, axis=-2)))


def _at_least(x: Array, least: float) -> Array:
    """The larger of an array and a small number, or the smallest one of the dtype that is not 0 on any device."""
    xp = array_namespace(x)
    return xp.maximum(x, max(least, float(xp.finfo(x.dtype).smallest_normal)))


def _require_memory(memory: Array, of: str) -> None:
    if memory.ndim < 2:
        expected = "an array of shape (..., locations, width)"
        raise checks.invalid("memory", tuple(memory.shape), expected, f"ops.{of}")


def _require(x: Array, name: str, size: int, what: str, of: str) -> None:
    if x.ndim == 0 or x.shape[-1] != size:
        expected = f"an array whose last axis has {what}, {size}"
        raise checks.invalid(name, tuple(x.shape), expected, f"ops.{of}")
