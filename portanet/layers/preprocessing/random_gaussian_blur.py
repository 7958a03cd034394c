"""Random Gaussian blur of images."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.backends import Array
from portanet.layers.preprocessing.color_augmentation import ColorAugmentation
from portanet.layers.preprocessing.image_augmentation import where_chosen


class RandomGaussianBlur(ColorAugmentation):
    """In training, blur images by a Gaussian kernel of random width; as `keras.layers.RandomGaussianBlur`.

    Args:
        factor: Probability of a change; a number p for a probability drawn from [0, p), or a pair (low, high).
        kernel_size: Height and width of the kernel, odd; one number for both.
        sigma: Standard deviations along both axes, drawn once per batch from [0, sigma), or from a pair (low, high)
            within [0, 1].
        value_range: Smallest and largest value of pixels, beyond which results are clipped.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        seed: Seed; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Input: shape (batch, height, width, channels). Output: the same shape, floating-point.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.RandomGaussianBlur((1.0, 1.0), 3, (1.0, 1.0))
        >>> layer(np.asarray([[[[0.0], [13.0], [0.0]]]]), training=True).ravel().round(1)
        array([1.6, 2.7, 1.6])
    """

    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: Any = 3,
        sigma: Any = 1.0,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(value_range, seed, data_format, **options)
        self.factor = self.require_fractions("factor", factor)
        self.kernel_size = checks.integers("kernel_size", kernel_size, 2, self, least=1)
        if not all(size % 2 for size in self.kernel_size):
            raise checks.invalid("kernel_size", kernel_size, "odd numbers", self)
        self.sigma = self.require_fractions("sigma", sigma)

    def transformation(self, x: Array) -> Any:
        return {
            "should_apply_blur": self.chosen(x, self.factor),
            "blur_factor": self.uniform(x, (1, 2), *self.sigma)[0, ...] + 1e-6,
        }

    def transformed(self, x: Array, transformation: Any) -> Array:
        from portanet.ops.filters import gaussian_filtered

        sigma = transformation["blur_factor"]
        changed = gaussian_filtered(x, self.kernel_size, (sigma[1], sigma[0]))
        return self.clipped(where_chosen(transformation["should_apply_blur"], changed, x))
