"""Flattening."""

from __future__ import annotations

import math
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.rearranging import Rearranging


class Flatten(Rearranging):
    """Join all axes except the batch axis into one; as `keras.layers.Flatten`.

    Args:
        data_format: `"channels_last"` (the default), or `"channels_first"`: then axis 1 becomes the last one first, so
            that weights of later layers fit both.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Flatten()(np.ones((2, 3, 4))).shape
        (2, 12)
    """

    built_at_once = False
    independent_examples = True

    def __init__(self, data_format: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.data_format = checks.data_format(data_format, self)

    def call(self, x: Array) -> Array:
        xp = array_namespace(x)
        x = xp.moveaxis(x, 1, -1) if self.data_format == "channels_first" and x.ndim > 1 else x
        return xp.reshape(x, (x.shape[0], math.prod(x.shape[1:])))

    def compute_output_shape(self, input_shape: Any) -> Any:
        rest = input_shape[1:]
        return (input_shape[0], None if None in rest else math.prod(rest))
