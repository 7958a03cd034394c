"""The input itself."""

from __future__ import annotations

from typing import Any

from portanet.layers.base import Layer


class Identity(Layer):
    """The input itself.

    Args:
        **options: Those of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Identity()(np.asarray([1.0, 2.0]))
        array([1., 2.])
    """

    independent_examples = True
    keeps_shape = True
    supports_masking = True
    keeps_values = True

    def call(self, x: Any) -> Any:
        return x
