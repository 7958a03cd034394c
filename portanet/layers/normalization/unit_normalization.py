"""Normalisation to length 1."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.base import Layer
from portanet.layers.normalization.affine_normalization import positive_axes, widened


class UnitNormalization(Layer):
    """Divide each example by its Euclidean length; as `keras.layers.UnitNormalization`.

    Args:
        axis: The axis or axes over which the length is taken.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: any shape. Output: the same shape and dtype. Zeros stay zeros.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.UnitNormalization()(np.asarray([[3.0, 4.0]], dtype="float32"))
        array([[0.6, 0.8]], dtype=float32)
    """

    keeps_shape = True
    supports_masking = True
    autocast = False  # as `AffineNormalization`

    def __init__(self, axis: int | list[int] | tuple[int, ...] = -1, **options: Any) -> None:
        super().__init__(**options)
        self.axis = checks.one_or_several("axis", axis, self)

    def call(self, x: Array) -> Array:
        axes = positive_axes(self, self.axis, x.shape)
        x, restore = widened(self, x)
        xp = array_namespace(x)
        squares = xp.sum(x * x, axis=axes, keepdims=True)
        return restore(x / xp.sqrt(xp.where(squares > 1e-24, squares, 1e-24)))  # no length below 1e-12, as Keras
