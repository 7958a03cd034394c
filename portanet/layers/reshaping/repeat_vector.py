"""Vectors repeated as sequences."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.rearranging import Rearranging


class RepeatVector(Rearranging):
    """Repeat a vector as the steps of a sequence; as `keras.layers.RepeatVector`.

    Args:
        n: Number of steps.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: shape (batch, features). Output: shape (batch, n, features).

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.RepeatVector(3)(np.ones((5, 4))).shape
        (5, 3, 4)
    """

    built_at_once = False
    independent_examples = True

    def __init__(self, n: int, **options: Any) -> None:
        super().__init__(**options)
        self.n = checks.positive_int("n", n, self)

    def call(self, x: Array) -> Array:
        xp = array_namespace(x)
        return xp.broadcast_to(xp.expand_dims(x, axis=1), self.compute_output_shape(tuple(x.shape)))

    def compute_output_shape(self, input_shape: Any) -> Any:
        if len(input_shape) != 2:
            raise ValueError(
                f"Layer '{self.name}' needs inputs of shape (batch, features). Received: shape {tuple(input_shape)}"
            )
        return (input_shape[0], self.n, input_shape[1])
