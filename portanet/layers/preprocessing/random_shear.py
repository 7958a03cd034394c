"""Random shears of images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.preprocessing.resampling import Resampling


class RandomShear(Resampling):
    """In training, shear each image by random factors; as `keras.layers.RandomShear`.

    The pixel at column x and row y comes from column x + s y and row y + t x, where s and t are drawn, with the same
    random sign.

    Args:
        x_factor: Range of s: a pair (low, high) within [0, 1], or a number for a range from its negative to itself.
        y_factor: Range of t, likewise.
        interpolation: `"bilinear"` or `"nearest"`.
        fill_mode: `"constant"`, `"nearest"`, `"reflect"` or `"wrap"`, see `Resampling`.
        fill_value: Value beyond the edges, for `"constant"`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        seed: Seed; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, height, width, channels). Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> x = np.asarray([[[[0.0], [1.0]], [[0.0], [1.0]]]])
        >>> layers.RandomShear(0.5, fill_mode="nearest")(x, training=True).shape
        (1, 2, 2, 1)
    """

    def __init__(
        self,
        x_factor: Any = 0.0,
        y_factor: Any = 0.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        data_format: str | None = None,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(fill_mode, interpolation, seed, fill_value, data_format, **options)
        self.x_factor = self._factor("x_factor", x_factor)
        self.y_factor = self._factor("y_factor", y_factor)

    def _factor(self, name: str, value: Any) -> tuple[float, float]:
        if isinstance(value, (list, tuple)):
            return self.require_fractions(name, value, signed=True)  # files of Keras have negative ones
        return self.require_range(name, checks.number(name, value, "[0, 1]", self))

    def maps(self, x: Array) -> Sequence[Any]:
        shape = (x.shape[0],)
        positive = self.uniform(x, shape) <= 0.5
        down, across = self.uniform(x, shape, *self.y_factor), self.uniform(x, shape, *self.x_factor)
        xp = array_namespace(down)
        return 1.0, xp.where(positive, across, -across), 0.0, xp.where(positive, down, -down), 1.0, 0.0
