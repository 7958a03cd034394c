"""Preprocessing layers in sequence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.layers.base import Layer
from portanet.layers.calling import call_with_mask


class Pipeline(Layer):
    """Preprocessing layers, one after the other, on images or on dicts with them; as `keras.layers.Pipeline`.

    Args:
        layers: The layers.
        name: Name of the pipeline.
        **options: `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> pipeline = layers.Pipeline([layers.AutoContrast(), layers.RandomFlip(seed=1)])
        >>> pipeline({"images": np.ones((2, 4, 4, 3)), "labels": np.asarray([0, 1])}, training=True)["labels"]
        array([0, 1])
    """

    autocast = False

    def __init__(self, layers: Sequence[Layer], name: str | None = None, **options: Any) -> None:
        super().__init__(name=name, **options)
        if not isinstance(layers, (list, tuple)) or not all(isinstance(layer, Layer) for layer in layers):
            raise checks.invalid("layers", layers, "a list of layers", self)
        self.layers = list(layers)

    def build(self, input_shape: Any) -> None:
        self._place(self._path())

    def call(self, x: Any, training: bool = True, mask: Any = None) -> Any:
        for layer in self.layers:
            x, mask = call_with_mask(layer, x, mask=mask, training=training)
        return x
