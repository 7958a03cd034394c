"""Reshaping."""

from __future__ import annotations

import math
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.rearranging import Rearranging


class Reshape(Rearranging):
    """Reshape each example; as `keras.layers.Reshape`.

    Args:
        target_shape: The shape, without the batch axis; one size may be -1, to be inferred.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Reshape((-1, 2))(np.ones((5, 3, 4))).shape
        (5, 6, 2)
    """

    independent_examples = True

    def __init__(self, target_shape: Any, **options: Any) -> None:
        super().__init__(**options)
        shape = tuple(target_shape) if isinstance(target_shape, (tuple, list)) else (target_shape,)
        self.target_shape = tuple(checks.integer("target_shape", n, self, least=-1) for n in shape)
        if shape.count(-1) > 1:
            raise checks.invalid("target_shape", target_shape, "a tuple of sizes, at most one of them -1", self)

    def call(self, x: Array) -> Array:
        xp, shape = array_namespace(x), self.compute_output_shape(tuple(x.shape))
        flat = xp.reshape(x, (shape[0], math.prod(shape[1:])))  # Dask joins axes or splits one, but not both at once
        return xp.reshape(flat, shape)

    def compute_output_shape(self, input_shape: Any) -> Any:
        rest = input_shape[1:]
        known = math.prod(n for n in self.target_shape if n != -1)
        if None in rest:
            return (input_shape[0], *(None if n == -1 else n for n in self.target_shape))
        size = math.prod(rest)
        fits = (known > 0 and size % known == 0) if -1 in self.target_shape else size == known
        if not fits:
            raise ValueError(
                f"Layer '{self.name}' cannot give examples of {size} elements the shape {self.target_shape}. "
                f"Received: an input of shape {tuple(input_shape)}"
            )
        return (input_shape[0], *(size // known if n == -1 else n for n in self.target_shape))
