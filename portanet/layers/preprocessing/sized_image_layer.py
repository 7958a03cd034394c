"""The base class of layers that give images another size."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.backends import Array
from portanet.layers.preprocessing.image_layer import ImageLayer


class SizedImageLayer(ImageLayer):
    """A layer whose outputs are images of a given size, also at inference.

    Subclasses implement `of_size(x, interpolation)`, for batches with channels last.

    Args:
        height: Height of the output.
        width: Width of the output.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.
    """

    keeps_shape = False
    interpolation = "bilinear"

    def __init__(self, height: int, width: int, data_format: str | None = None, **options: Any) -> None:
        super().__init__(data_format, **options)
        self.height = checks.positive_int("height", height, self)
        self.width = checks.positive_int("width", width, self)

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.independent_examples = len(input_shape) == 4  # one image has no axis of examples

    def of_size(self, x: Array, interpolation: str) -> Array:
        """The images in the size of the output."""
        raise NotImplementedError

    def transformed(self, x: Array, transformation: Any) -> Array:
        return self.of_size(x, self.interpolation)

    def masks_transformed(self, x: Array, transformation: Any) -> Array:
        return self.of_size(x, "nearest")

    def at_inference(self, x: Array) -> Array:
        return self.of_size(x, self.interpolation)

    def masks_at_inference(self, x: Array) -> Array:
        return self.of_size(x, "nearest")

    def compute_output_shape(self, input_shape: Any) -> Any:
        if isinstance(input_shape, dict):
            return {k: v if k == "labels" else self.compute_output_shape(v) for k, v in input_shape.items()}
        self.require_images(input_shape)
        if self.data_format == "channels_last":
            return (*input_shape[:-3], self.height, self.width, input_shape[-1])
        return (*input_shape[:-2], self.height, self.width)


def fits(x: Array, height: int, width: int) -> bool:
    """Whether images (batch, height, width, channels) are at least as large as a window."""
    return bool(x.shape[1] >= height and x.shape[2] >= width)


def central(x: Array, height: int, width: int, interpolation: str) -> Array:
    """The centres of images; of smaller images, the largest window with the same aspect ratio, resized."""
    if not fits(x, height, width):
        from portanet.ops.resizing import resized  # few models need portanet.ops

        return resized(x, height, width, interpolation, fit="crop")
    top, left = (x.shape[1] - height) // 2, (x.shape[2] - width) // 2
    return x[:, top : top + height, left : left + width, :]
