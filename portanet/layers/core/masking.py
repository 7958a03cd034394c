"""Masks of time steps."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.base import Layer


class Masking(Layer):
    """Mask the time steps whose features are all `mask_value`, and set them to 0; as `keras.layers.Masking`.

    Later layers that use masks skip those steps.

    Args:
        mask_value: The value.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: shape (batch, steps, ..., features). Output: the same; its mask has shape (batch, steps, ...).

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Masking()(np.asarray([[[1.0], [0.0]]])).tolist()
        [[[1.0], [0.0]]]
        >>> layers.Masking().compute_mask(np.asarray([[[1.0], [0.0]]]))
        array([[ True, False]])
    """

    independent_examples = True
    keeps_shape = True
    casts_integers = True
    supports_masking = True

    def __init__(self, mask_value: float = 0.0, **options: Any) -> None:
        super().__init__(**options)
        self.mask_value = checks.number("mask_value", mask_value, "[-inf, inf]", self)

    def call(self, x: Array) -> Array:
        xp = array_namespace(x)
        return xp.where(xp.any(x != self.mask_value, axis=-1, keepdims=True), x, 0.0)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        inputs = self.in_compute_dtype(inputs, integers=True)
        return array_namespace(inputs).any(inputs != self.mask_value, axis=-1)
