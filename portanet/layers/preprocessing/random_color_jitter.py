"""Random brightness, contrast, saturation and hue of images."""

from __future__ import annotations

from typing import Any

from portanet.backends import Array
from portanet.layers.preprocessing.color_augmentation import ColorAugmentation
from portanet.layers.preprocessing.image_layer import build_parts
from portanet.layers.preprocessing.random_brightness import RandomBrightness
from portanet.layers.preprocessing.random_contrast import RandomContrast
from portanet.layers.preprocessing.random_hue import RandomHue
from portanet.layers.preprocessing.random_saturation import RandomSaturation

KINDS: dict[str, Any] = {
    "brightness": RandomBrightness,
    "contrast": RandomContrast,
    "saturation": RandomSaturation,
    "hue": RandomHue,
}


class RandomColorJitter(ColorAugmentation):
    """In training, change brightness, contrast, saturation and hue, in this order; as `keras.layers.RandomColorJitter`.

    Args:
        value_range: Smallest and largest value of pixels.
        brightness_factor: As `factor` of `RandomBrightness`; None to leave the brightness.
        contrast_factor: As `factor` of `RandomContrast`; None to leave the contrast.
        saturation_factor: As `factor` of `RandomSaturation`; None to leave the saturation.
        hue_factor: As `factor` of `RandomHue`; None to leave the hue.
        seed: Seed; by default `portanet.random.get_seed()`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, height, width, channels), 3 channels for saturation and hue. Output: the same shape,
    floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.RandomColorJitter((0, 1), brightness_factor=(0.5, 0.5))
        >>> layer(np.full((1, 1, 1, 3), 0.2), training=True).ravel()
        array([0.7, 0.7, 0.7])
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        brightness_factor: Any = None,
        contrast_factor: Any = None,
        saturation_factor: Any = None,
        hue_factor: Any = None,
        seed: int | None = None,
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(value_range, seed, data_format, **options)
        self.brightness_factor, self.contrast_factor = brightness_factor, contrast_factor
        self.saturation_factor, self.hue_factor = saturation_factor, hue_factor
        factors = (brightness_factor, contrast_factor, saturation_factor, hue_factor)
        self.steps = []
        for (kind, make), factor in zip(KINDS.items(), factors, strict=True):
            step = None
            if factor is not None:
                make.factor_range(self, f"{kind}_factor", factor)
                step = make(factor, value_range, seed=seed, name=f"random_{kind}")
                self.steps.append(step)
            setattr(self, f"random_{kind}", step)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        build_parts(self, self.steps, input_shape)

    def transformation(self, x: Array) -> Any:
        return [step.transformation(x) for step in self.steps]

    def transformed(self, x: Array, transformation: Any) -> Array:
        for step, part in zip(self.steps, transformation, strict=True):
            x = step.transformed(x, part)
        return x
