"""Layers that drop parts of their input in training."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.regularization.noise import RandomLayer


class Dropout(RandomLayer):
    """In training, set a fraction `rate` of the inputs to 0 and scale the rest by 1 / (1 - rate) (Srivastava 2014).

    Which inputs are dropped depends on the seed, the layer's path and how often it was called in training: the same on
    every backend.

    Args:
        rate: Fraction to drop, in [0, 1).
        noise_shape: Shape of the mask, with 1 (or None for the input's size) where it is shared along an axis.
        seed: Seed of the mask; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> x = np.ones((2, 3), dtype="float32")
        >>> bool((layers.Dropout(0.5)(x) == x).all())
        True
    """

    def __init__(
        self, rate: float, noise_shape: Sequence[int | None] | None = None, seed: int | None = None, **options: Any
    ) -> None:
        super().__init__(seed, **options)
        self.rate = self.require_rate(rate)
        if noise_shape is not None and not all(n is None or (isinstance(n, int) and n > 0) for n in noise_shape):
            raise ValueError(
                f"Argument `noise_shape` of layer '{self.name}' must hold positive integers or None for each axis. "
                f"Received: noise_shape={noise_shape!r}"
            )
        self.noise_shape = noise_shape
        if noise_shape and noise_shape[0] not in (None, 1):  # a part of the batch would not fit
            self.by_example = False

    def call(self, x: Array, training: bool = False) -> Array:
        if not training or self.rate == 0:
            return x
        keep = self.bernoulli(x, self.mask_shape(tuple(x.shape)), 1 - self.rate)
        return array_namespace(x).where(keep, x * (1 / (1 - self.rate)), 0.0)

    def mask_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """The shape of the mask for inputs of a shape."""
        if self.noise_shape is None:
            return shape
        if len(self.noise_shape) != len(shape) or any(
            m not in (None, 1, n) for m, n in zip(self.noise_shape, shape, strict=False)
        ):
            raise ValueError(
                f"Layer '{self.name}' has noise_shape={self.noise_shape!r}: it must have an entry for each axis of the "
                f"input, its size, 1 or None. Received: an input of shape {shape}"
            )
        return tuple(n if m is None else m for n, m in zip(shape, self.noise_shape, strict=True))


class AlphaDropout(Dropout):
    """Dropout for self-normalising networks (selu): what is dropped becomes the saturation value of selu.

    The result is scaled and shifted so that mean and variance stay those of the input
    (Klambauer et al. 2017, Self-normalizing neural networks).

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

    _SATURATION = -1.0507009873554805 * 1.6732632423543772  # of selu: -scale * alpha

    def call(self, x: Array, training: bool = False) -> Array:
        if not training or self.rate == 0:
            return x
        low = self._SATURATION
        scale = ((1 - self.rate) * (1 + self.rate * low**2)) ** -0.5
        keep = self.bernoulli(x, self.mask_shape(tuple(x.shape)), 1 - self.rate)
        return array_namespace(x).where(keep, x, low) * scale - scale * low * self.rate


class _SpatialDropout(Dropout):
    """Drops whole feature maps."""

    _axes: int

    def __init__(self, rate: float, data_format: str | None = None, seed: int | None = None, **options: Any) -> None:
        super().__init__(rate, seed=seed, **options)
        if data_format not in (None, "channels_last", "channels_first"):
            raise ValueError(
                f"Argument `data_format` of layer '{self.name}' must be 'channels_last' or 'channels_first'. "
                f"Received: data_format={data_format!r}"
            )
        self.data_format = data_format or "channels_last"

    def build(self, input_shape: Any) -> None:
        if len(input_shape) != self._axes + 2:
            raise ValueError(
                f"Layer '{self.name}' needs inputs with {self._axes + 2} axes: batch, channels and {self._axes} in "
                f"space. Received: shape {tuple(input_shape)}"
            )
        super().build(input_shape)

    def mask_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        ones = (1,) * self._axes
        return (shape[0], *ones, shape[-1]) if self.data_format == "channels_last" else (*shape[:2], *ones)


class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole features over all time steps; input (batch, steps, features) (Tompson et al. 2015).

    Args:
        rate: Fraction to drop, in [0, 1).
        seed: Seed of the mask; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> y = layers.SpatialDropout1D(0.5, seed=1)(np.ones((2, 5, 3), dtype="float32"), training=True)
        >>> bool((y == y[:, :1, :]).all())
        True
    """

    _axes = 1

    def __init__(self, rate: float, seed: int | None = None, **options: Any) -> None:
        super().__init__(rate, seed=seed, **options)


class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole feature maps of images; input (batch, height, width, channels).

    Args:
        rate: Fraction to drop, in [0, 1).
        data_format: `"channels_last"`, or `"channels_first"` for inputs (batch, channels, height, width).
        seed: Seed of the mask; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> y = layers.SpatialDropout2D(0.5, seed=1)(np.ones((2, 4, 4, 3), dtype="float32"), training=True)
        >>> bool((y == y[:, :1, :1, :]).all())
        True
    """

    _axes = 2


class SpatialDropout3D(_SpatialDropout):
    """Dropout of whole feature maps of volumes; input (batch, depth, height, width, channels).

    Args:
        rate: Fraction to drop, in [0, 1).
        data_format: `"channels_last"`, or `"channels_first"` for inputs (batch, channels, depth, height, width).
        seed: Seed of the mask; by default `portanet.random.get_seed()`.
        **options: `name`, `trainable`, `dtype`, `activity_regularizer` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> y = layers.SpatialDropout3D(0.5, seed=1)(np.ones((2, 2, 4, 4, 3), dtype="float32"), training=True)
        >>> bool((y == y[:, :1, :1, :1, :]).all())
        True
    """

    _axes = 3
