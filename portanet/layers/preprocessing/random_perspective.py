"""Random perspectives of images."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, storage
from portanet.backends import Array, array_like
from portanet.layers.preprocessing.image_augmentation import ImageAugmentation, where_chosen
from portanet.layers.preprocessing.resampling import INTERPOLATIONS


class RandomPerspective(ImageAugmentation):
    """In training, move the corners of images at random, and the pixels with them; as `keras.layers.RandomPerspective`.

    Args:
        factor: Probability of a change; a number p for a probability drawn from [0, p), or a pair (low, high).
        scale: How far corners move: by fractions in [-scale / 2, scale / 2) of their column and row, in [0, 1].
        interpolation: `"bilinear"` or `"nearest"`.
        fill_value: Value beyond the edges.
        seed: Seed; by default `portanet.random.get_seed()`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, height, width, channels). Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.RandomPerspective((1.0, 1.0), 0.0)(np.ones((2, 4, 4, 3)), training=True).shape
        (2, 4, 4, 3)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: float = 1.0,
        interpolation: str = "bilinear",
        fill_value: float = 0.0,
        seed: int | None = None,
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(seed, data_format, **options)
        self.factor = self.require_fractions("factor", factor)
        self.scale = checks.number("scale", scale, "[0, 1]", self)
        self.interpolation = checks.choice("interpolation", interpolation, INTERPOLATIONS, self)
        self.fill_value = checks.number("fill_value", fill_value, of=self)

    def transformation(self, x: Array) -> Any:
        chosen = self.chosen(x, self.factor)
        moves = self.uniform(x, (x.shape[0], 4, 2), -self.scale / 2, self.scale / 2)
        right, bottom = x.shape[2] - 1.0, x.shape[1] - 1.0
        corners = array_like(storage(moves), [[[0.0, 0.0], [right, 0.0], [0.0, bottom], [right, bottom]]])
        xp = array_namespace(moves)
        start = xp.multiply(xp.ones_like(moves), corners)
        return {"apply_perspective": chosen, "start_points": start, "end_points": start * (1.0 + moves)}

    def transformed(self, x: Array, transformation: Any) -> Array:
        return self._sampled(x, transformation, self.interpolation)

    def masks_transformed(self, x: Array, transformation: Any) -> Array:
        return self._sampled(x, transformation, "nearest")

    def _sampled(self, x: Array, transformation: Any, interpolation: str) -> Array:
        from portanet.ops.sampling import homography, projected

        maps = homography(transformation["start_points"], transformation["end_points"])
        changed = projected(x, maps, interpolation, "constant", self.fill_value)
        return where_chosen(transformation["apply_perspective"], changed, x)
