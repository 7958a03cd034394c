"""Flattening."""

from __future__ import annotations

import math
from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.rearranging import Rearranging


class Flatten(Rearranging):
    """Join all axes except the batch axis into one.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Flatten()(np.ones((2, 3, 4))).shape
        (2, 12)
    """

    independent_examples = True

    def call(self, x: Array) -> Array:
        return array_namespace(x).reshape(x, (x.shape[0], math.prod(x.shape[1:])))

    def compute_output_shape(self, input_shape: Any) -> Any:
        rest = input_shape[1:]
        return (input_shape[0], None if None in rest else math.prod(rest))
