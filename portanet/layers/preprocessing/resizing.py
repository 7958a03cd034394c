"""Images in another size."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.backends import Array
from portanet.layers.preprocessing.sized_image_layer import SizedImageLayer

INTERPOLATIONS = ("bilinear", "nearest", "bicubic", "lanczos3", "lanczos5")


class Resizing(SizedImageLayer):
    """Resize images, also at inference; as `keras.layers.Resizing`.

    Args:
        height: Height of the output.
        width: Width of the output.
        interpolation: `"bilinear"`, `"nearest"`, `"bicubic"` (Keys, a = -0.5), `"lanczos3"` or `"lanczos5"`.
        crop_to_aspect_ratio: Whether to crop the images to the aspect ratio of the output first.
        pad_to_aspect_ratio: Whether to pad them to it.
        fill_mode: Must be `"constant"`.
        fill_value: The padding.
        antialias: Whether to average where images become smaller.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: shape (batch, rows, columns, channels), or one image (rows, columns, channels); any dtype. Output: shape
    (batch, height, width, channels) or (height, width, channels), dtype of the input; integers are rounded.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Resizing(1, 4)(np.asarray([[[[1], [3]]]], dtype="uint8")).ravel()
        array([1, 2, 2, 3], dtype=uint8)
    """

    casts_integers = False

    def __init__(
        self,
        height: int,
        width: int,
        interpolation: str = "bilinear",
        crop_to_aspect_ratio: bool = False,
        pad_to_aspect_ratio: bool = False,
        fill_mode: str = "constant",
        fill_value: float = 0.0,
        antialias: bool = False,
        data_format: str | None = None,
        **options: Any,
    ) -> None:
        super().__init__(height, width, data_format, **options)
        self.interpolation = checks.choice("interpolation", interpolation, INTERPOLATIONS, self)
        self.crop_to_aspect_ratio = checks.boolean("crop_to_aspect_ratio", crop_to_aspect_ratio, self)
        self.pad_to_aspect_ratio = checks.boolean("pad_to_aspect_ratio", pad_to_aspect_ratio, self)
        if crop_to_aspect_ratio and pad_to_aspect_ratio:
            raise ValueError(
                f"Layer '{self.name}' takes one of `crop_to_aspect_ratio` and `pad_to_aspect_ratio`. Received: both"
            )
        self.fill_mode = checks.choice("fill_mode", fill_mode, ("constant",), self)
        self.fill_value = checks.number("fill_value", fill_value, of=self)
        self.antialias = checks.boolean("antialias", antialias, self)

    def of_size(self, x: Array, interpolation: str) -> Array:
        from portanet.ops.resizing import resized  # few models need portanet.ops

        fit = "crop" if self.crop_to_aspect_ratio else "pad" if self.pad_to_aspect_ratio else None
        return resized(x, self.height, self.width, interpolation, self.antialias, fit, self.fill_value)
