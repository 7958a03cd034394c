"""Positional encodings."""

from __future__ import annotations

import math
from typing import Any

from portanet import checks, initializers
from portanet.autodiff import array_namespace, unwrap
from portanet.backends import Array, device_of
from portanet.layers.base import Layer


def _angles(x: Array, length: int, count: int, step: float, wavelength: float, start: int) -> tuple[Any, Array]:
    """The namespace of plain arrays, and position * wavelength^(-step * i) for i < count, shape (length, count)."""
    plain = unwrap(x)
    xp, device = array_namespace(plain), device_of(plain)
    # In the arithmetic of x; positions are exact up to 2^24 in float32.
    position = xp.astype(xp.arange(start, start + length, device=device), plain.dtype)
    rate = xp.exp(xp.astype(xp.arange(count, device=device), plain.dtype) * (-step * math.log(wavelength)))
    return xp, xp.expand_dims(position, axis=-1) * rate


class SinePositionEncoding(Layer):
    """Sines and cosines of the position with wavelengths from 2 pi to `max_wavelength` (Vaswani et al. 2017).

    As `keras_hub.layers.SinePositionEncoding`: the output is the encoding alone, to be added to the input.

    Args:
        max_wavelength: The longest wavelength, over 2 pi.
        **options: `name`, `dtype` of `Layer`.

    Input: shape (..., time, features). Output: the same shape.

    Call arguments: `start_index`: the position of the first step.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.SinePositionEncoding()(np.zeros((1, 2, 4)))[0].round(4)
        array([[0.    , 1.    , 0.    , 1.    ],
               [0.8415, 0.5403, 0.01  , 1.    ]])
    """

    independent_examples = True
    keeps_shape = True
    supports_masking = True
    casts_integers = True

    def __init__(self, max_wavelength: float = 10000, **options: Any) -> None:
        super().__init__(**options)
        self.max_wavelength = checks.positive("max_wavelength", max_wavelength, self)

    def call(self, x: Array, start_index: int = 0) -> Array:
        self.require_rank(x.shape, 2, "(..., time, features)")
        times, features = x.shape[-2:]
        half = (features + 1) // 2
        xp, angles = _angles(x, times, half, 2.0 / features, self.max_wavelength, start_index)
        both = xp.stack([xp.sin(angles), xp.cos(angles)], axis=-1)
        table = xp.reshape(both, (times, 2 * half))[:, :features]
        return array_namespace(x).zeros_like(x) + table


class PositionEmbedding(Layer):
    """A trained vector for each position (Devlin et al. 2019); as `keras_hub.layers.PositionEmbedding`.

    The output is the vectors alone, to be added to the input.

    Args:
        sequence_length: The number of positions.
        initializer: Initial values, shape (sequence_length, features).
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: shape (..., time, features), with time at most `sequence_length`. Output: the same shape.

    Call arguments: `start_index`: the position of the first step.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.PositionEmbedding(8)(np.zeros((2, 5, 4), dtype="float32")).shape
        (2, 5, 4)
    """

    independent_examples = True
    keeps_shape = True
    supports_masking = True
    casts_integers = True

    def __init__(self, sequence_length: int, initializer: Any = "glorot_uniform", **options: Any) -> None:
        super().__init__(**options)
        self.sequence_length = checks.positive_int("sequence_length", sequence_length, self)
        self.initializer = initializers.get(initializer, "initializer", self)

    def build(self, input_shape: Any) -> None:
        self.require_rank(input_shape, 2, "(..., time, features)")
        self.position_embeddings = self.add_weight(
            shape=(self.sequence_length, input_shape[-1]), initializer=self.initializer, name="position_embeddings"
        )

    def call(self, x: Array, start_index: int = 0) -> Array:
        table = self.position_embeddings.value
        self.require_axis(x, -1, table.shape[-1])
        stop = start_index + x.shape[-2]
        if start_index < 0 or stop > self.sequence_length:
            raise ValueError(
                f"Layer '{self.name}' knows {self.sequence_length} positions. Received: positions {start_index} to "
                f"{stop - 1}"
            )
        xp = array_namespace(x, table)
        return xp.broadcast_to(table[start_index:stop, :], tuple(x.shape))


class RotaryEmbedding(Layer):
    """Rotate pairs of features by angles that grow with the position (Su et al. 2021).

    As `keras_hub.layers.RotaryEmbedding`: feature i is paired with feature i + features / 2. Products of rotated
    queries and keys depend only on the distance between their positions.

    Args:
        max_wavelength: The longest wavelength, over 2 pi.
        scaling_factor: Positions are divided by it.
        sequence_axis: The axis of time.
        **options: `name`, `dtype` of `Layer`.

    Input: shape (batch, time, ..., features) with an even number of features. Output: the same shape.

    Call arguments: `start_index`: the position of the first step.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.RotaryEmbedding()(np.asarray([[[1.0, 0.0], [1.0, 0.0]]]))[0].round(4)
        array([[1.    , 0.    ],
               [0.5403, 0.8415]])
    """

    independent_examples = True
    keeps_shape = True
    supports_masking = True
    casts_integers = True

    def __init__(
        self, max_wavelength: float = 10000, scaling_factor: float = 1.0, sequence_axis: int = 1, **options: Any
    ) -> None:
        super().__init__(**options)
        self.max_wavelength = checks.positive("max_wavelength", max_wavelength, self)
        self.scaling_factor = checks.positive("scaling_factor", scaling_factor, self)
        self.sequence_axis = checks.integer("sequence_axis", sequence_axis, self)
        self.independent_examples = self.sequence_axis > 0  # else it may be the batch axis

    def call(self, x: Array, start_index: int = 0) -> Array:
        self.require_rank(x.shape, 2, "(batch, time, ..., features)")
        features, axis = x.shape[-1], self.sequence_axis % x.ndim
        if features % 2 or axis == x.ndim - 1:
            raise ValueError(
                f"Layer '{self.name}' needs an even number of features on the last axis, which is not that of time. "
                f"Received: shape {tuple(x.shape)}, sequence_axis={self.sequence_axis}"
            )
        half, times = features // 2, x.shape[axis]
        raw, angles = _angles(x, times, half, 2.0 / features, self.max_wavelength, start_index)
        lead = [times if i == axis else 1 for i in range(x.ndim - 1)]
        angles = raw.reshape(angles / self.scaling_factor, (*lead, half))
        cos, sin = raw.cos(angles), raw.sin(angles)
        first, second = x[..., :half], x[..., half:]
        return array_namespace(x).concat([first * cos - second * sin, second * cos + first * sin], axis=-1)
