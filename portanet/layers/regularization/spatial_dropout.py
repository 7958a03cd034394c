"""Dropout of whole feature maps."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.layers.regularization.dropout import Dropout


class _SpatialDropout(Dropout):
    """Drops whole feature maps."""

    supports_masking = True
    built_at_once = True
    _axes: int

    def __init__(self, rate: float, data_format: str | None = None, seed: int | None = None, **options: Any) -> None:
        super().__init__(rate, seed=seed, **options)
        self.data_format = checks.data_format(data_format, self)

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

    independent_examples = True
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
