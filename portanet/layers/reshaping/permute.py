"""Permutation of axes."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.rearranging import Rearranging


class Permute(Rearranging):
    """Permute the axes of each example; as `keras.layers.Permute`.

    Args:
        dims: The order of axes, counted from 1, without the batch axis.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Permute((2, 1))(np.ones((5, 3, 4))).shape
        (5, 4, 3)
    """

    built_at_once = False
    independent_examples = True

    def __init__(self, dims: Any, **options: Any) -> None:
        super().__init__(**options)
        self.dims = checks.integers("dims", dims, of=self)
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
                f"Layer '{self.name}' permutes inputs with {len(self.dims)} axes besides the batch axis. "
                f"Received: an input of shape {tuple(shape)}"
            )
