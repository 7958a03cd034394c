"""The base class of image augmentation."""

from __future__ import annotations

import math
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.random_layer import RandomLayer
from portanet.random import streams

FILL_MODES = ("constant", "nearest", "reflect", "wrap")


INTERPOLATIONS = ("bilinear", "nearest")


FLIPS = {"horizontal": (2,), "vertical": (1,), "horizontal_and_vertical": (2, 1)}


class ImageAugmentation(RandomLayer):
    """A layer that changes images in training and leaves them unchanged at inference.

    Subclasses implement `augmented(x)` for images with channels last.

    Args:
        seed: Seed; by default `portanet.random.get_seed()`.
        data_format: `"channels_last"` for images of shape (batch, height, width, channels), `"channels_first"` for
            (batch, channels, height, width). By default `"channels_last"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.
    """

    def __init__(self, seed: int | None = None, data_format: str | None = None, **options: Any) -> None:
        super().__init__(seed, **options)
        self.data_format = checks.data_format(data_format, self)

    def build(self, input_shape: Any) -> None:
        self.require_rank(input_shape, 4, "(batch, height, width, channels)")
        super().build(input_shape)

    def call(self, x: Array, training: bool = False) -> Array:
        if x.ndim != 4:
            raise ValueError(f"Layer '{self.name}' needs inputs of 4 axes. Received: shape {tuple(x.shape)}")
        if training:
            x = self.with_state(x)
        xp = array_namespace(x)
        change = self.augmented if training else self.at_inference
        if self.data_format == "channels_last":
            return change(x)
        return xp.permute_dims(change(xp.permute_dims(x, (0, 2, 3, 1))), (0, 3, 1, 2))

    def augmented(self, x: Array) -> Array:
        """The augmented images."""
        raise NotImplementedError

    def at_inference(self, x: Array) -> Array:
        """The images at inference, by default unchanged."""
        return x

    def uniform(self, x: Array, shape: tuple[int, ...], low: float, high: float) -> Array:
        """Draw uniform values in [low, high) in float64 if `x` is, else float32."""
        xp = array_namespace(x)
        dtype = xp.float64 if x.dtype == xp.float64 else xp.float32
        return streams.uniform(self.key, self._next(), shape, dtype, low, high)

    def require_range(self, name: str, value: Any, limit: float = math.inf) -> tuple[float, float]:
        """Check a factor: a number, for a range from its negative to itself, or both ends of a range."""
        within = "(-inf, inf)" if limit == math.inf else f"[-{limit:g}, {limit:g}]"
        if not isinstance(value, (list, tuple)):
            size = abs(checks.number(name, value, within, self))
            return -size, size
        ends = [checks.number(name, end, within, self) for end in value]
        if len(ends) != 2 or ends[0] > ends[1]:
            raise checks.invalid(name, value, "a number or a pair (low, high)", self)
        return ends[0], ends[1]
