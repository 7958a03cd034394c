"""Softmax, optionally masked."""

from __future__ import annotations

from typing import Any

from portanet import activations, checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.base import Layer


class Softmax(Layer):
    """`activations.softmax` over an axis; as `keras.layers.Softmax`.

    Args:
        axis: Axis, or several, over which the output sums to 1.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    A mask of the input's shape excludes elements: their probability is 0. A mask of time steps has no effect.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Softmax()(np.asarray([[0.0, 0.0]]))
        array([[0.5, 0.5]])
    """

    independent_examples = True
    keeps_shape = True

    def __init__(self, axis: int | list[int] | tuple[int, ...] = -1, **options: Any) -> None:
        super().__init__(**options)
        axes = checks.integers("axis", axis, of=self)
        self.axis: int | tuple[int, ...] = axes[0] if len(axes) == 1 else axes

    def call(self, x: Array, mask: Array | None = None) -> Array:
        if mask is None or tuple(mask.shape) != tuple(x.shape):
            return activations.softmax(x, axis=self.axis)
        xp = array_namespace(x, mask)
        lowest = 0.5 * float(xp.finfo(x.dtype).min)  # less than any score, yet the difference of two does not overflow
        return activations.softmax(xp.where(mask, x, lowest), axis=self.axis) * xp.astype(mask, x.dtype)
