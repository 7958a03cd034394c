"""Layers that only rearrange their input."""

from __future__ import annotations

import math
from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.base import Layer


class Rearranging(Layer):
    """A layer after which the axes mean something else, so that a mask of the time steps does not apply any more."""

    keeps_values = True

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        return None


class Flatten(Rearranging):
    """Join all axes but the batch's into one.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Flatten()(np.ones((2, 3, 4))).shape
        (2, 12)
    """

    def call(self, x: Array) -> Array:
        return array_namespace(x).reshape(x, (x.shape[0], math.prod(x.shape[1:])))

    def compute_output_shape(self, input_shape: Any) -> Any:
        rest = input_shape[1:]
        return (input_shape[0], None if None in rest else math.prod(rest))


class Reshape(Rearranging):
    """Give each example another shape; as `keras.layers.Reshape`.

    Args:
        target_shape: The shape, without the batch axis; one size may be -1: what the others leave.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Reshape((-1, 2))(np.ones((5, 3, 4))).shape
        (5, 6, 2)
    """

    def __init__(self, target_shape: Any, **options: Any) -> None:
        super().__init__(**options)
        shape = tuple(target_shape) if isinstance(target_shape, (tuple, list)) else (target_shape,)
        if any(isinstance(n, bool) or not isinstance(n, int) or n < -1 for n in shape) or shape.count(-1) > 1:
            raise ValueError(
                f"Argument `target_shape` of layer '{self.name}' must be a tuple of sizes, at most one of them -1. "
                f"Received: target_shape={target_shape!r}"
            )
        self.target_shape = shape

    def call(self, x: Array) -> Array:
        xp, shape = array_namespace(x), self.compute_output_shape(tuple(x.shape))
        flat = xp.reshape(x, (shape[0], math.prod(shape[1:])))  # Dask joins axes or divides one, but not both at once
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


class Permute(Rearranging):
    """Put the axes of each example in another order; as `keras.layers.Permute`.

    Args:
        dims: The order; axes are counted from 1, the batch axis is left out.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Permute((2, 1))(np.ones((5, 3, 4))).shape
        (5, 4, 3)
    """

    def __init__(self, dims: Any, **options: Any) -> None:
        super().__init__(**options)
        self.dims = tuple(dims)
        if sorted(self.dims) != list(range(1, len(self.dims) + 1)):
            raise ValueError(
                f"Argument `dims` of layer '{self.name}' must hold each axis from 1 to the number of axes once. "
                f"Received: dims={dims!r}"
            )

    def call(self, x: Array) -> Array:
        self._require_axes(tuple(x.shape))
        return array_namespace(x).permute_dims(x, (0, *self.dims))

    def compute_output_shape(self, input_shape: Any) -> Any:
        self._require_axes(input_shape)
        return (input_shape[0], *(input_shape[axis] for axis in self.dims))

    def _require_axes(self, shape: Any) -> None:
        if len(shape) != len(self.dims) + 1:
            raise ValueError(
                f"Layer '{self.name}' permutes inputs with {len(self.dims)} axes beside the batch's. "
                f"Received: an input of shape {tuple(shape)}"
            )


class RepeatVector(Rearranging):
    """Repeat a vector as the steps of a sequence; as `keras.layers.RepeatVector`.

    Args:
        n: Number of steps.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: shape (batch, features). Result: shape (batch, n, features).

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.RepeatVector(3)(np.ones((5, 4))).shape
        (5, 3, 4)
    """

    def __init__(self, n: int, **options: Any) -> None:
        super().__init__(**options)
        if isinstance(n, bool) or not isinstance(n, int) or n < 1:
            raise ValueError(f"Argument `n` of layer '{self.name}' must be a positive integer. Received: n={n!r}")
        self.n = n

    def call(self, x: Array) -> Array:
        xp = array_namespace(x)
        return xp.broadcast_to(xp.expand_dims(x, axis=1), self.compute_output_shape(tuple(x.shape)))

    def compute_output_shape(self, input_shape: Any) -> Any:
        if len(input_shape) != 2:
            raise ValueError(
                f"Layer '{self.name}' needs inputs of shape (batch, features). Received: shape {tuple(input_shape)}"
            )
        return (input_shape[0], self.n, input_shape[1])
