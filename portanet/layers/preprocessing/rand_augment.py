"""Random sequences of augmentations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.backends import Array
from portanet.layers.preprocessing.auto_contrast import AutoContrast
from portanet.layers.preprocessing.color_augmentation import ColorAugmentation
from portanet.layers.preprocessing.equalization import Equalization
from portanet.layers.preprocessing.image_layer import ImageLayer, build_parts
from portanet.layers.preprocessing.random_brightness import RandomBrightness
from portanet.layers.preprocessing.random_color_degeneration import RandomColorDegeneration
from portanet.layers.preprocessing.random_contrast import RandomContrast
from portanet.layers.preprocessing.random_posterization import RandomPosterization
from portanet.layers.preprocessing.random_rotation import RandomRotation
from portanet.layers.preprocessing.random_sharpness import RandomSharpness
from portanet.layers.preprocessing.random_shear import RandomShear
from portanet.layers.preprocessing.random_translation import RandomTranslation
from portanet.layers.preprocessing.resampling import INTERPOLATIONS
from portanet.layers.preprocessing.solarization import Solarization


class SeveralAugmentations(ColorAugmentation):
    """A layer that draws which augmentations to apply, all as strong as `factor` says.

    Args:
        value_range: Smallest and largest value of pixels.
        factor: Strength: a pair (low, high) within [0, 1], or a number for a range from 0.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: Seed; by default `portanet.random.get_seed()`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.
    """

    def __init__(
        self,
        value_range: Any,
        factor: Any,
        interpolation: str,
        seed: int | None,
        data_format: str | None,
        **options: Any,
    ) -> None:
        super().__init__(value_range, seed, data_format, **options)
        self.factor = f = self.require_fractions("factor", factor)
        self.interpolation = i = checks.choice("interpolation", interpolation, INTERPOLATIONS, self)
        bits = max(1, int(8 * f[1]))
        self.choices: list[ImageLayer] = [
            RandomShear(f, f, i, seed=seed, name="random_shear"),
            RandomTranslation(f, f, interpolation=i, seed=seed, name="random_translation"),
            RandomRotation(f, interpolation=i, seed=seed, name="random_rotation"),
            RandomPosterization(bits, value_range, seed=seed, name="random_posterization"),
            Solarization(f, f, value_range, seed, name="solarization"),
            AutoContrast(value_range, name="auto_contrast"),
            Equalization(value_range, name="equalization"),
            RandomBrightness(f, value_range, seed, name="random_brightness"),
            RandomColorDegeneration(f, value_range, seed=seed, name="random_color_degeneration"),
            RandomContrast(f, value_range, seed, name="random_contrast"),
            RandomSharpness(f, value_range, seed=seed, name="random_sharpness"),
        ]

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        build_parts(self, self.choices, input_shape)

    def draw_parts(self, x: Array) -> list[Any]:
        """Draw transformations for all augmentations, so that compiled steps draw as others do."""
        return [layer.transformation(x) for layer in self.choices]

    def changed_by(self, index: Array, x: Array, parts: Sequence[Any], masks: bool) -> Array:
        """Images or masks, changed by the augmentation with an index; unchanged by an index beyond the last."""
        from portanet.ops import switch

        def branch(layer: ImageLayer, part: Any) -> Any:
            return lambda y: (layer.masks_transformed if masks else layer.transformed)(y, part)

        branches = [branch(*pair) for pair in zip(self.choices, parts, strict=True)]
        return switch(index, [*branches, lambda y: y], x)


class RandAugment(SeveralAugmentations):
    """In training, change images by a few augmentations, drawn for the batch; as `keras.layers.RandAugment`.

    The augmentations are `RandomShear`, `RandomTranslation`, `RandomRotation`, `RandomBrightness`,
    `RandomColorDegeneration`, `RandomContrast`, `RandomSharpness`, `RandomPosterization`, `Solarization`,
    `AutoContrast` and `Equalization`. Source: E. D. Cubuk et al., RandAugment, 2019, https://arxiv.org/abs/1909.13719.

    Args:
        value_range: Smallest and largest value of pixels.
        num_ops: How many augmentations follow each other.
        factor: Strength: a pair (low, high) within [0, 1], or a number for a range from 0.
        interpolation: `"bilinear"` or `"nearest"`.
        seed: Seed; by default `portanet.random.get_seed()`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, height, width, 3). Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.RandAugment(seed=1)(np.ones((2, 4, 4, 3)), training=True).shape
        (2, 4, 4, 3)
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_ops: int = 2,
        factor: Any = 0.5,
        interpolation: str = "bilinear",
        seed: int | None = None,
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(value_range, factor, interpolation, seed, data_format, **options)
        self.num_ops = checks.integer("num_ops", num_ops, self, least=0)

    def transformation(self, x: Array) -> Any:
        return {
            "layer_idxes": self.integers((1, self.num_ops), len(self.choices))[0, ...],
            "transforms": self.draw_parts(x),
        }

    def transformed(self, x: Array, transformation: Any) -> Array:
        return self._changed(x, transformation, masks=False)

    def masks_transformed(self, x: Array, transformation: Any) -> Array:
        return self._changed(x, transformation, masks=True)

    def _changed(self, x: Array, transformation: Any, masks: bool) -> Array:
        for i in range(self.num_ops):
            x = self.changed_by(transformation["layer_idxes"][i, ...], x, transformation["transforms"], masks)
        return x
