"""Random translations of images."""

from __future__ import annotations

from typing import Any

from portanet.backends import Array
from portanet.layers.preprocessing.resampling import Resampling


class RandomTranslation(Resampling):
    """In training, translate each image by random distances; as `keras.layers.RandomTranslation`.

    Args:
        height_factor: Range of the downward shift, as a fraction of the height: a pair (low, high), or a number for a
            range from its negative to itself.
        width_factor: Range of the rightward shift, as a fraction of the width, likewise.
        fill_mode: `"constant"`, `"nearest"`, `"reflect"` or `"wrap"`, see `Resampling`.
        **options: `interpolation`, `seed`, `fill_value`, `data_format` of `Resampling`; `name`, `trainable`, `dtype`,
            `activity_regularizer` of `Layer`.

    Input: shape (batch, height, width, channels). Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.RandomTranslation(0.0, (0.25, 0.25), fill_mode="constant")
        >>> layer(np.asarray([[[[1.0], [2.0], [3.0], [4.0]]]]), training=True).ravel()
        array([0., 1., 2., 3.])
    """

    def __init__(self, height_factor: Any, width_factor: Any, fill_mode: str = "reflect", **options: Any) -> None:
        super().__init__(fill_mode, **options)
        self.height_range = self.require_range("height_factor", height_factor, 1.0)
        self.width_range = self.require_range("width_factor", width_factor, 1.0)

    def sources(self, x: Array) -> tuple[Array, Array]:
        rows, columns = self.grid(x)
        shape = (x.shape[0], 1, 1)
        down, right = self.uniform(x, shape, *self.height_range), self.uniform(x, shape, *self.width_range)
        return rows - down * x.shape[1], columns - right * x.shape[2]
