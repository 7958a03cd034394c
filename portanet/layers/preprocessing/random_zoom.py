"""Random zoom of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.backends import Array
from portanet.layers.preprocessing.resampling import Resampling


class RandomZoom(Resampling):
    """In training, zoom each image by a random factor about its centre; as `keras.layers.RandomZoom`.

    Args:
        height_factor: Range of the zoom: a pair (low, high) within (-1, 1], or a number for a range from its negative
            to itself. 0.2 zooms out by 20 %, -0.2 zooms in by 20 %.
        width_factor: Likewise for the width; by default the factor of the height, so that proportions stay.
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
        >>> layer = layers.RandomZoom((-0.5, -0.5))
        >>> layer(np.asarray([[[[1.0], [2.0], [3.0]]]]), training=True).ravel()
        array([1.5, 2. , 2.5])
    """

    def __init__(
        self,
        height_factor: Any,
        width_factor: Any = None,
        fill_mode: str = "reflect",
        interpolation: str = "bilinear",
        seed: int | None = None,
        fill_value: float = 0.0,
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **options)
        self.height_factor, self.width_factor = height_factor, width_factor
        self.height_lower, self.height_upper = self._range("height_factor", height_factor)
        if width_factor is not None:
            self.width_lower, self.width_upper = self._range("width_factor", width_factor)

    def _range(self, name: str, value: Any) -> tuple[float, float]:
        low, high = self.require_range(name, value, 1.0)
        if low == -1.0:
            raise checks.invalid(name, value, "greater than -1, which would leave a single point", self)
        return low, high

    def maps(self, x: Array) -> Sequence[Any]:
        shape = (x.shape[0],)
        tall = 1.0 + self.uniform(x, shape, self.height_lower, self.height_upper)
        wide = tall
        if self.width_factor is not None:
            wide = 1.0 + self.uniform(x, shape, self.width_lower, self.width_upper)
        middle, centre = (x.shape[1] - 1) / 2, (x.shape[2] - 1) / 2
        return wide, 0.0, centre * (1.0 - wide), 0.0, tall, middle * (1.0 - tall)
