"""Random rotations of images."""

from __future__ import annotations

import math
from typing import Any

from portanet.backends import Array, raw_namespace
from portanet.layers.preprocessing.resampling import Resampling


class RandomRotation(Resampling):
    """In training, rotate each image about its centre by a random angle; as `keras.layers.RandomRotation`.

    Args:
        factor: Range of the angle, counter-clockwise, as a fraction of a full circle: a pair (low, high), or a number
            for a range from its negative to itself.
        fill_mode: `"constant"`, `"nearest"`, `"reflect"` or `"wrap"`, see `Resampling`.
        **options: `interpolation`, `seed`, `fill_value`, `data_format` of `Resampling`; `name`, `trainable`, `dtype`,
            `activity_regularizer` of `Layer`.

    Input: shape (batch, height, width, channels). Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.RandomRotation((0.25, 0.25))
        >>> layer(np.asarray([[[[1.0], [2.0]], [[3.0], [4.0]]]]), training=True)[0, :, :, 0].round(6)
        array([[2., 4.],
               [1., 3.]])
    """

    def __init__(self, factor: Any, fill_mode: str = "reflect", **options: Any) -> None:
        super().__init__(fill_mode, **options)
        self.range = self.require_range("factor", factor)

    def sources(self, x: Array) -> tuple[Array, Array]:
        rows, columns = self.grid(x)
        middle_row, middle_column = (x.shape[1] - 1) / 2, (x.shape[2] - 1) / 2
        angle = self.uniform(x, (x.shape[0], 1, 1), *self.range) * (2 * math.pi)
        xp = raw_namespace(angle)
        down, right = rows - middle_row, columns - middle_column
        cos, sin = xp.cos(angle), xp.sin(angle)
        return right * sin + down * cos + middle_row, right * cos - down * sin + middle_column
