"""Layer normalisation."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.backends import Array
from portanet.layers.normalization.affine_normalization import AffineNormalization, positive_axes, widened


class LayerNormalization(AffineNormalization):
    """Give each example mean 0 and variance 1, then multiply by `gamma` and add `beta` (Ba, Kiros and Hinton 2016).

    As `keras.layers.LayerNormalization`.

    Args:
        axis: The axis or axes of mean and variance, which are also those of `gamma` and `beta`.
        epsilon: Added to the variance.
        **options: `center`, `scale`, `beta_initializer`, `gamma_initializer`, `beta_regularizer`, `gamma_regularizer`,
            `beta_constraint`, `gamma_constraint` of `AffineNormalization`; `name`, `trainable`, `dtype`,
            `activity_regularizer` of `Layer`.

    Input: any shape. Output: the same shape and dtype.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.LayerNormalization(epsilon=0.0)(np.asarray([[1.0, 3.0], [2.0, 10.0]], dtype="float32"))
        array([[-1.,  1.],
               [-1.,  1.]], dtype=float32)
    """

    independent_examples = True
    supports_masking = True

    def __init__(self, axis: int | list[int] | tuple[int, ...] = -1, epsilon: float = 1e-3, **options: Any) -> None:
        super().__init__(epsilon, **options)
        self.axis = checks.integers("axis", axis, of=self)

    def build(self, input_shape: Any) -> None:
        self.sizes = tuple(input_shape[a] for a in positive_axes(self, self.axis, input_shape))
        self.add_affine(self.sizes)

    def call(self, x: Array) -> Array:
        axes = positive_axes(self, self.axis, x.shape)
        for axis, size in zip(axes, self.sizes, strict=True):
            self.require_axis(x, axis, size)
        shape = tuple(n if i in axes else 1 for i, n in enumerate(x.shape))
        x, restore = widened(self, x)
        return restore(self.normalized(x, axes, shape)[0])
