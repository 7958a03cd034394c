"""Normalisation by the root of the mean square."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.fused.normalization import rms_normalize
from portanet.layers.base import Layer
from portanet.layers.normalization.affine_normalization import positive_axes, widened


class RMSNormalization(Layer):
    """Divide each example by its root mean square, then multiply by `scale` (Zhang and Sennrich 2019).

    As `keras.layers.RMSNormalization`.

    Args:
        axis: The axis or axes of the mean, which are also those of `scale`.
        epsilon: Added to the mean of squares.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: any shape. Output: the same shape and dtype.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.RMSNormalization(epsilon=0.0)(np.asarray([[3.0, -3.0]], dtype="float32"))
        array([[ 1., -1.]], dtype=float32)
    """

    independent_examples = True
    keeps_shape = True
    autocast = False  # as `AffineNormalization`

    def __init__(self, axis: int | list[int] | tuple[int, ...] = -1, epsilon: float = 1e-6, **options: Any) -> None:
        super().__init__(**options)
        self.axis = checks.integers("axis", axis, of=self)
        self.epsilon = checks.non_negative("epsilon", epsilon, self)

    def build(self, input_shape: Any) -> None:
        sizes = tuple(input_shape[a] for a in positive_axes(self, self.axis, input_shape))
        self.scale = self.add_weight(shape=sizes, initializer="ones", name="scale", autocast=False)

    def call(self, x: Array) -> Array:
        axes = positive_axes(self, self.axis, x.shape)
        for axis, size in zip(axes, self.scale.shape, strict=True):
            self.require_axis(x, axis, size)
        scale = self.scale.value
        scale = array_namespace(scale).reshape(scale, tuple(n if i in axes else 1 for i, n in enumerate(x.shape)))
        x, restore = widened(self, x)
        return restore(rms_normalize(x, scale, axes=axes, epsilon=self.epsilon))
