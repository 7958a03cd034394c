"""The base class of layers around another."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.layers.base import Layer


class Wrapper(Layer):
    """A layer that computes with another one, `layer`; as `keras.layers.Wrapper`. Subclasses implement `call`.

    Args:
        layer: The layer.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> class Residual(layers.Wrapper):
        ...     def call(self, x):
        ...         return x + self.layer(x)
        >>> Residual(layers.Dense(3))(np.ones((2, 3), dtype="float32")).shape
        (2, 3)
    """

    def __init__(self, layer: Layer, **options: Any) -> None:
        super().__init__(**options)
        if not isinstance(layer, Layer):
            raise checks.invalid("layer", layer, "a layer", self)
        self.layer = layer

    def build(self, input_shape: Any) -> None:
        if not self.layer._built:
            self._place(self._path())
            self.layer.build(input_shape)
