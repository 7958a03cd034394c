"""Random elastic deformations of images."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.preprocessing.color_augmentation import ColorAugmentation
from portanet.layers.preprocessing.image_augmentation import where_chosen
from portanet.layers.preprocessing.resampling import FILL_MODES, INTERPOLATIONS


class RandomElasticTransform(ColorAugmentation):
    """In training, shift pixels by smooth random distances; as `keras.layers.RandomElasticTransform`.

    Source: P. Simard et al., Best Practices for Convolutional Neural Networks Applied to Visual Document Analysis,
    2003.

    Args:
        factor: Probability of a change; a number p for a probability drawn from [0, p), or a pair (low, high).
        scale: Strength, drawn once per batch from [0, scale), or from a pair (low, high) within [0, 1].
        interpolation: `"bilinear"` or `"nearest"`.
        fill_mode: `"constant"`, `"nearest"`, `"reflect"`, `"wrap"` (see `Resampling`) or `"mirror"`, as `"reflect"`
            without repeating the pixel at the edge.
        fill_value: Value beyond the edges, for `"constant"`.
        value_range: Smallest and largest value of pixels, beyond which results are clipped.
        seed: Seed; by default `portanet.random.get_seed()`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, height, width, channels). Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.RandomElasticTransform(scale=(0.5, 0.5))(np.ones((2, 8, 8, 3)), training=True).shape
        (2, 8, 8, 3)
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = 1.0,
        interpolation: str = "bilinear",
        fill_mode: str = "reflect",
        fill_value: float = 0.0,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(value_range, seed, data_format, **options)
        self.factor = self.require_fractions("factor", factor)
        self.scale = self.require_fractions("scale", scale)
        self.interpolation = checks.choice("interpolation", interpolation, INTERPOLATIONS, self)
        self.fill_mode = checks.choice("fill_mode", fill_mode, (*FILL_MODES, "mirror"), self)
        self.fill_value = checks.number("fill_value", fill_value, of=self)

    def transformation(self, x: Array) -> Any:
        chosen, strength = self.chosen(x, self.factor), self.uniform(x, (), *self.scale)
        noise = self.normal_values(x, (*x.shape[:3], 2))
        return {"apply_transform": chosen, "distortion_factor": strength, "noise": noise}

    def transformed(self, x: Array, transformation: Any) -> Array:
        return self.clipped(self._shifted(x, transformation, self.interpolation))

    def masks_transformed(self, x: Array, transformation: Any) -> Array:
        return self._shifted(x, transformation, "nearest")

    def _shifted(self, x: Array, transformation: Any, interpolation: str) -> Array:
        from portanet.ops.sampling import shifted

        if self.scale[1] == 0.0:
            return x
        strength, noise = transformation["distortion_factor"], transformation["noise"]
        xp = array_namespace(strength)
        width = 0.05 * min(x.shape[1:3])
        sigma = xp.maximum(strength, xp.full_like(strength, 1e-6)) * width
        alpha = strength * (0.1 * max(x.shape[1:3]))
        options = (interpolation, self.fill_mode, self.fill_value)
        changed = shifted(x, noise, alpha, sigma, self.scale[1] * width, *options)
        return where_chosen(transformation["apply_transform"], changed, x)
