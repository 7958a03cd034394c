"""Random translations of images."""

from __future__ import annotations

from collections.abc import Sequence
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
        interpolation: `"bilinear"` or `"nearest"`.
        seed: Seed; by default `portanet.random.get_seed()`.
        fill_value: Value beyond the edges, for `"constant"`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, height, width, channels). Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.RandomTranslation(0.0, (0.25, 0.25), fill_mode="constant")
        >>> layer(np.asarray([[[[1.0], [2.0], [3.0], [4.0]]]]), training=True).ravel()
        array([0., 1., 2., 3.])
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **options)
        self.height_factor, self.width_factor = height_factor, width_factor
        self.height_lower, self.height_upper = self.require_range("height_factor", height_factor, 1.0)
        self.width_lower, self.width_upper = self.require_range("width_factor", width_factor, 1.0)

    def maps(self, x: Array) -> Sequence[Any]:
        shape = (x.shape[0],)
        down = self.uniform(x, shape, self.height_lower, self.height_upper)
        right = self.uniform(x, shape, self.width_lower, self.width_upper)
        return 1.0, 0.0, -right * x.shape[2], 0.0, 1.0, -down * x.shape[1]
