"""Softmax, optionally masked."""

from __future__ import annotations

from typing import Any

from portanet import activations, checks
from portanet.autodiff import array_namespace, unwrap
from portanet.backends import Array
from portanet.layers.base import Layer


class Softmax(Layer):
    """`activations.softmax` over an axis; as `keras.layers.Softmax`.

    Args:
        axis: Axis, or several, over which the output sums to 1.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    A mask that broadcasts to the input excludes elements: their probability is 0. A mask of time steps, shape (batch,
    steps) for an input with further axes, has no effect; nor have those that models pass from layer to layer.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Softmax()(np.asarray([[0.0, 0.0]]))
        array([[0.5, 0.5]])
    """

    independent_examples = True
    keeps_shape = True
    supports_masking = True
    _masks_steps = False
    casts_integers = True

    def __init__(self, axis: int | list[int] | tuple[int, ...] = -1, **options: Any) -> None:
        super().__init__(**options)
        axes = checks.integers("axis", axis, of=self)
        self.axis: int | tuple[int, ...] = axes[0] if len(axes) == 1 else axes

    def call(self, x: Array, mask: Array | None = None) -> Array:
        if mask is None or not self._excludes(x, mask):
            return activations.softmax(x, axis=self.axis)
        mask = unwrap(mask)
        plain = array_namespace(mask)
        mask = mask if plain.isdtype(mask.dtype, "bool") else mask > 0.5  # as Keras
        xp = array_namespace(x)
        lowest = 0.5 * float(xp.finfo(x.dtype).min)  # less than any score, yet the difference of two does not overflow
        return xp.where(mask, activations.softmax(xp.where(mask, x, lowest), axis=self.axis), 0.0)

    def _excludes(self, x: Array, mask: Array) -> bool:
        """Whether a mask is one of elements, not of time steps."""
        shape, own = tuple(x.shape), tuple(mask.shape)
        if len(own) <= len(shape) and all(n in (1, m) for n, m in zip(own[::-1], shape[::-1], strict=False)):
            return True
        if 1 < len(own) < len(shape) and own == shape[: len(own)]:
            return False
        raise checks.invalid("mask", own, f"an array that broadcasts to the shape of the input, {shape}", self)
