"""Random erasing of parts of images."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace, storage
from portanet.backends import Array, array_like
from portanet.layers.preprocessing.color_augmentation import ColorAugmentation
from portanet.layers.preprocessing.image_augmentation import ImageAugmentation, where_chosen


class RandomErasing(ColorAugmentation):
    """In training, replace a random rectangle of images by noise or a constant; as `keras.layers.RandomErasing`.

    Source: Z. Zhong et al., Random Erasing Data Augmentation, 2017, https://arxiv.org/abs/1708.04896.

    Args:
        factor: Probability of a change; a number p for a probability drawn from [0, p), or a pair (low, high).
        scale: Range of the squares of the rectangle's relative width and height: a pair (low, high) within [0, 1], or a
            number for a range from 0.
        fill_value: What is put in: a number, or three, one per channel; None for normal noise. Clipped to the range.
        value_range: Smallest and largest value of pixels; the noise has the largest as its standard deviation.
        seed: Seed; by default `portanet.random.get_seed()`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, height, width, channels). Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.RandomErasing((1.0, 1.0), (1.0, 1.0), fill_value=7.0)
        >>> layer(np.ones((1, 1, 2, 1)), training=True).ravel()
        array([7., 7.])
    """

    def __init__(
        self,
        factor: Any = 1.0,
        scale: Any = (0.02, 0.33),
        fill_value: Any = None,
        value_range: Any = (0, 255),
        seed: int | None = None,
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(value_range, seed, data_format, **options)
        self.factor = self.require_fractions("factor", factor)
        self.scale = self.require_fractions("scale", scale)
        if isinstance(fill_value, (list, tuple)):
            fill_value = checks.numbers("fill_value", fill_value, of=self, count=3)
        elif fill_value is not None:
            fill_value = checks.number("fill_value", fill_value, of=self)
        self.fill_value = fill_value

    def transformation(self, x: Array) -> Any:
        ratios = self.uniform(x, (x.shape[0], 2), *self.scale)
        ratios = array_namespace(ratios).sqrt(ratios)
        masks, _ = rectangles(self, x, ratios[:, 0], ratios[:, 1])
        chosen = self.chosen(x, self.factor)
        if self.fill_value is None:
            fill = self.normal_values(x, tuple(x.shape)) * self.value_range[1]
        else:
            fill = array_like(storage(ratios), self.fill_value)
        return {
            "apply_erasing": chosen,
            "batch_masks": masks,
            "fill_value": array_namespace(fill).clip(fill, *self.value_range),
        }

    def transformed(self, x: Array, transformation: Any) -> Array:
        fill = transformation["fill_value"]
        xp = array_namespace(x, transformation["batch_masks"])
        fill = xp.astype(fill, x.dtype, copy=False) if hasattr(fill, "dtype") else fill
        changed = xp.where(transformation["batch_masks"], fill, x)
        return where_chosen(transformation["apply_erasing"], changed, x)


def rectangles(layer: ImageAugmentation, x: Array, wide: Array, tall: Array) -> tuple[Array, Array]:
    """Draw a rectangle per image.

    Args:
        layer: The layer, which draws.
        x: The images.
        wide: Widths of the rectangles, as fractions of the images', shape (batch,).
        tall: Heights, likewise.

    Returns:
        Which pixels are inside, shape (batch, height, width, 1), and the rectangles' part of the area, (batch,).
    """
    from portanet.ops.sampling import grid

    rows, columns = grid(x, wide.dtype)
    inside: Any = None
    for fraction, places, size in ((wide, columns, x.shape[2]), (tall, rows, x.shape[1])):
        length = fraction * size
        start = layer.uniform(x, (x.shape[0],)) * (size - length)
        xp = array_namespace(places, start)
        places = xp.subtract(places, start[:, None, None])
        own = xp.logical_and(xp.greater_equal(places, 0.0), xp.less(places, length[:, None, None]))
        inside = own if inside is None else xp.logical_and(inside, own)
    return inside[..., None], wide * tall
