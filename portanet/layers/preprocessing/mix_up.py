"""Mixtures of images and of their labels."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.preprocessing.image_augmentation import ImageAugmentation


class MixUp(ImageAugmentation):
    """In training, mix each image, label and segmentation mask with those of another example; as `keras.layers.MixUp`.

    Source: H. Zhang et al., mixup: Beyond Empirical Risk Minimization, 2017, https://arxiv.org/abs/1710.09412.

    Args:
        alpha: Parameter of the beta distribution of an image's own part.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        seed: Seed; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: images of shape (batch, height, width, channels), or a dict with `"images"` and `"labels"`, one-hot or
    probabilities of shape (batch, classes), and perhaps `"segmentation_masks"`. Output: the same, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> x = {"images": np.ones((2, 4, 4, 3)), "labels": np.eye(2)}
        >>> layers.MixUp(seed=1)(x, training=True)["labels"].sum(axis=1)
        array([1., 1.])
    """

    def __init__(
        self, alpha: float = 0.2, data_format: str | None = None, seed: int | None = None, **options: Any
    ) -> None:
        super().__init__(seed, data_format, **options)
        self.alpha = checks.positive("alpha", alpha, self)

    def transformation(self, x: Array) -> Any:
        order = self.permutation(x.shape[0])
        return {"mix_weight": self.beta(x, (x.shape[0],), self.alpha), "permutation_order": order}

    def transformed(self, x: Array, transformation: Any) -> Array:
        return mixed(x, transformation)

    masks_transformed = transformed

    def transform_labels(self, labels: Array, transformation: Any, training: bool = True) -> Array:
        return mixed(labels, transformation) if training else labels


def mixed(x: Array, transformation: Any) -> Array:
    """Weighted means of examples and those in another order."""
    weight, order = transformation["mix_weight"], transformation["permutation_order"]
    xp = array_namespace(x, weight)
    x = x if xp.isdtype(x.dtype, "real floating") else xp.astype(x, weight.dtype)
    weight = xp.astype(xp.reshape(weight, (-1,) + (1,) * (len(x.shape) - 1)), x.dtype, copy=False)
    return xp.add(xp.multiply(weight, x), xp.multiply(1.0 - weight, xp.take(x, order, axis=0)))
