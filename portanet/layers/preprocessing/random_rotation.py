"""Random rotations of images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.preprocessing.resampling import Resampling


class RandomRotation(Resampling):
    """In training, rotate each image about its centre by a random angle; as `keras.layers.RandomRotation`.

    Args:
        factor: Range of the angle, counter-clockwise, as a fraction of a full circle: a pair (low, high), or a number
            for a range from its negative to itself.
        fill_mode: `"constant"`, `"nearest"`, `"reflect"` or `"wrap"`, see `Resampling`.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: Seed; by default `portanet.random.get_seed()`.
        fill_value: Value beyond the edges, for `"constant"`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, height, width, channels). Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.RandomRotation((0.25, 0.25))
        >>> layer(np.asarray([[[[1.0], [2.0]], [[3.0], [4.0]]]]), training=True)[0, :, :, 0].round(6)
        array([[2., 4.],
               [1., 3.]])
    """

    def __init__(
        self,
        factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **options)
        self.factor = self.require_range("factor", factor)

    def maps(self, x: Array) -> Sequence[Any]:
        middle, centre = (x.shape[1] - 1) / 2, (x.shape[2] - 1) / 2
        angle = self.uniform(x, (x.shape[0],), *self.factor) * (2 * math.pi)
        xp = array_namespace(angle)
        cos, sin = xp.cos(angle), xp.sin(angle)
        across, down = centre - centre * cos + middle * sin, middle - centre * sin - middle * cos
        return cos, -sin, across, sin, cos, down
