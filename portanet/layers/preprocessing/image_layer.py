"""The base class of layers that change images, and what comes with them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.base import Layer

PARTS = ("images", "labels", "segmentation_masks")


class ImageLayer(Layer):
    """A layer that changes images, and labels and segmentation masks with them.

    It takes an image (height, width, channels), a batch of them, or a dict with `"images"` and perhaps `"labels"` and
    `"segmentation_masks"`, and returns the same. Subclasses implement `transformed(x, transformation)` for batches with
    channels last, and perhaps `masks_transformed` and `transform_labels`.

    Args:
        data_format: `"channels_last"` for images of shape (batch, height, width, channels), `"channels_first"` for
            (batch, channels, height, width). By default `"channels_last"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.
    """

    keeps_shape = True
    autocast = False  # of images alone: labels may be integers
    casts_integers = True

    def __init__(self, data_format: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.data_format = checks.data_format(data_format, self)

    def build(self, input_shape: Any) -> None:
        shape = self._parts(input_shape)["images"]
        self.require_images(shape)

    def call(self, x: Any, training: bool = True) -> Any:
        parts = self._parts(x)
        transformation = self.get_random_transformation(parts, training)
        out = {key: getattr(self, f"transform_{key}")(part, transformation, training) for key, part in parts.items()}
        return out if isinstance(x, dict) else out["images"]

    def get_random_transformation(self, data: Any, training: bool = True) -> Any:
        """Draw what `transform_images`, `transform_labels` and `transform_segmentation_masks` take; None for nothing.

        Args:
            data: Images, or a dict with them.
            training: Whether images will be changed.
        """
        if not training:
            return None
        if not self._built:
            self._build_on(data)
        images = self._parts(data)["images"]
        return self.transformation(self._batch(self.in_compute_dtype(images, self.casts_integers)))

    def transform_images(self, images: Array, transformation: Any, training: bool = True) -> Array:
        """Images, changed by a transformation; floating-point."""
        x = self._batch(self.in_compute_dtype(images, self.casts_integers))
        return self._back(self.transformed(x, transformation) if training else self.at_inference(x), images)

    def transform_labels(self, labels: Array, transformation: Any, training: bool = True) -> Array:
        """Labels of images, changed by a transformation."""
        return labels

    def transform_segmentation_masks(
        self, segmentation_masks: Array, transformation: Any, training: bool = True
    ) -> Array:
        """Segmentation masks of images, changed by a transformation."""
        x = self._batch(segmentation_masks)
        x = self.masks_transformed(x, transformation) if training else self.masks_at_inference(x)
        return self._back(x, segmentation_masks)

    def transform_single_image(self, image: Array, transformation: Any, training: bool = True) -> Array:
        """One image, changed by a transformation for a batch of one."""
        return _of_one(self.transform_images, image, transformation, training)

    def transform_single_label(self, label: Array, transformation: Any, training: bool = True) -> Array:
        """Its label, likewise."""
        return _of_one(self.transform_labels, label, transformation, training)

    def transform_single_segmentation_mask(
        self, segmentation_mask: Array, transformation: Any, training: bool = True
    ) -> Array:
        """Its segmentation mask, likewise."""
        return _of_one(self.transform_segmentation_masks, segmentation_mask, transformation, training)

    def transformation(self, x: Array) -> Any:
        """What is to be drawn for a batch of images with channels last."""

    def transformed(self, x: Array, transformation: Any) -> Array:
        """The images, changed."""
        raise NotImplementedError

    def masks_transformed(self, x: Array, transformation: Any) -> Array:
        """The segmentation masks, changed; by default, they remain."""
        return x

    def at_inference(self, x: Array) -> Array:
        """The images at inference, by default unchanged."""
        return x

    def require_images(self, shape: Any) -> None:
        """Reject what is neither an image nor a batch of them."""
        if len(shape) not in (3, 4):
            form = "height, width, channels" if self.data_format == "channels_last" else "channels, height, width"
            raise ValueError(
                f"Layer '{self.name}' needs images of shape (batch, {form}), or ({form}). "
                f"Received: shape {tuple(shape)}"
            )

    def _parts(self, x: Any) -> dict[str, Any]:
        """Images, and what comes with them, by kind."""
        parts = x if isinstance(x, dict) else {"images": x}
        if "images" not in parts or not set(parts) <= set(PARTS):
            raise ValueError(
                f"Layer '{self.name}' takes an array of images, or a dict with 'images' and perhaps 'labels' and "
                f"'segmentation_masks'. Received: keys {list(parts)}"
            )
        return parts

    def masks_at_inference(self, x: Array) -> Array:
        """The segmentation masks at inference, by default as images."""
        return self.at_inference(x)

    def _batch(self, x: Array) -> Array:
        """Images with a batch axis, and channels last."""
        self.require_images(x.shape)
        xp = array_namespace(x)
        x = xp.expand_dims(x, axis=0) if len(x.shape) == 3 else x
        return x if self.data_format == "channels_last" else xp.permute_dims(x, (0, 2, 3, 1))

    def _back(self, x: Array, like: Array) -> Array:
        """A batch with channels last in the form of the input."""
        xp = array_namespace(x)
        x = x if self.data_format == "channels_last" else xp.permute_dims(x, (0, 3, 1, 2))
        return x[0, ...] if len(like.shape) == 3 else x


def _of_one(transform: Any, x: Array, transformation: Any, training: bool) -> Array:
    """What a transformation of batches makes of one example."""
    batch = array_namespace(x).expand_dims(x, axis=0)
    changed: Array = transform(batch, transformation, training)[0, ...]
    return changed


def build_parts(layer: Layer, parts: Sequence[Layer], input_shape: Any) -> None:
    """Build layers inside a layer, which calls their methods."""
    layer._place(layer._path())
    for part in parts:
        if not part._built:
            part.build(input_shape)
