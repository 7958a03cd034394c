"""Inputs multiplied by a scale, with an offset added."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, storage
from portanet.backends import Array, constant
from portanet.layers.base import Layer
from portanet.settings import settings


class Rescaling(Layer):
    """`x * scale + offset`, also at inference; as `keras.layers.Rescaling`.

    Args:
        scale: Number, or a list of numbers, one per channel (of `portanet.config.image_data_format()`).
        offset: Likewise.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: shape (batch, ...), any dtype. Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Rescaling(1 / 127.5, offset=-1)(np.asarray([[0, 255]], dtype="uint8")).tolist()
        [[-1.0, 1.0]]
    """

    built_at_once = False
    independent_examples = True
    keeps_shape = True
    supports_masking = True
    casts_integers = True
    _takes_lists = True

    def __init__(self, scale: Any, offset: Any = 0.0, **options: Any) -> None:
        super().__init__(**options)
        self.scale = self._checked("scale", scale)
        self.offset = self._checked("offset", offset)

    def _checked(self, name: str, value: Any) -> float | list[float]:
        value = value.tolist() if hasattr(value, "tolist") else value
        if isinstance(value, (list, tuple)):
            return checks.numbers(name, value, of=self)
        return checks.number(name, value, of=self)

    def call(self, x: Array) -> Array:
        return x * self._factor(x, self.scale) + self._factor(x, self.offset)

    def _factor(self, x: Array, value: float | list[float]) -> Any:
        if isinstance(value, float):
            return value
        first = settings.image_data_format == "channels_first" and x.ndim > 2
        if len(value) not in (1, x.shape[-3 if first else -1]):
            raise ValueError(
                f"Layer '{self.name}' has {len(value)} factors, one per channel; the "
                f"{'third axis from the end' if first else 'last axis'} of its inputs must be as long. "
                f"Received: an input of shape {tuple(x.shape)}"
            )
        factors = constant(storage(x), value, x.dtype)
        return array_namespace(x).reshape(factors, (-1, 1, 1)) if first else factors
