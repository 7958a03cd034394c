"""Dropout for self-normalising networks."""

from __future__ import annotations

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.regularization.dropout import Dropout


class AlphaDropout(Dropout):
    """Dropout for self-normalising networks (selu): dropped elements become the saturation value of selu.

    The output is scaled and shifted to preserve the mean and variance of the input (Klambauer et al. 2017,
    Self-normalizing neural networks).

    Args:
        rate: Fraction to drop, in [0, 1).
        noise_shape: Shape of the mask, see `Dropout`.
        seed: Seed of the mask; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> x = np.random.default_rng(0).standard_normal((200, 200), dtype="float32")
        >>> y = layers.AlphaDropout(0.3, seed=1)(x, training=True)
        >>> round(abs(float(y.mean())), 1), round(float(y.std()), 1)
        (0.0, 1.0)
    """

    supports_masking = True
    _SATURATION = -1.0507009873554805 * 1.6732632423543772  # of selu: -scale * alpha

    def call(self, x: Array, training: bool = False) -> Array:
        if not training or self.rate == 0:
            return x
        low = self._SATURATION
        scale = ((1 - self.rate) * (1 + self.rate * low**2)) ** -0.5
        keep = self.bernoulli(1 - self.rate, self.mask_shape(tuple(x.shape)))
        return array_namespace(x).where(keep, x, low) * scale - scale * low * self.rate
