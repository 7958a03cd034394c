"""Images with parts of others, and mixtures of their labels."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.preprocessing.image_augmentation import ImageAugmentation
from portanet.layers.preprocessing.mix_up import mixed
from portanet.layers.preprocessing.random_erasing import rectangles


class CutMix(ImageAugmentation):
    """In training, replace a random rectangle of each image by that of another; as `keras.layers.CutMix`.

    Labels are mixed in proportion to the areas. Source: S. Yun et al., CutMix: Regularization Strategy to Train Strong
    Classifiers with Localizable Features, 2019, https://arxiv.org/abs/1905.04899.

    Args:
        factor: Range of the beta distribution's parameter, drawn once per batch: a pair (low, high) within [0, 1], or a
            number for a range from 0. An image's own part has that distribution.
        seed: Seed; by default `portanet.random.get_seed()`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: images of shape (batch, height, width, channels), or a dict with `"images"` and `"labels"`, one-hot or
    probabilities of shape (batch, classes), and perhaps `"segmentation_masks"`. Output: the same; images and labels are
    floating-point. A single image remains as it is.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> x = {"images": np.ones((2, 4, 4, 3)), "labels": np.eye(2)}
        >>> layers.CutMix(seed=1)(x, training=True)["labels"].sum(axis=1)
        array([1., 1.])
    """

    def __init__(
        self, factor: Any = 1.0, seed: int | None = None, data_format: str | None = None, **options: Any
    ) -> None:
        super().__init__(seed, data_format, **options)
        self.factor = self.require_fractions("factor", factor)

    def transformation(self, x: Array) -> Any:
        alpha = self.uniform(x, (), *self.factor) + 1e-6
        part = self.beta(x, (x.shape[0],), alpha)
        ratio = array_namespace(part).sqrt(1.0 - part)
        masks, area = rectangles(self, x, ratio, ratio)
        order = self.permutation(x.shape[0])
        return {"permutation_order": order, "batch_masks": masks, "mix_weight": 1.0 - area}

    def transformed(self, x: Array, transformation: Any) -> Array:
        masks, order = transformation["batch_masks"], transformation["permutation_order"]
        xp = array_namespace(x, masks)
        return xp.where(masks, xp.take(x, order, axis=0), x)

    masks_transformed = transformed

    def transform_labels(self, labels: Array, transformation: Any, training: bool = True) -> Array:
        return mixed(labels, transformation) if training else labels
