"""The exponential linear unit."""

from __future__ import annotations

from typing import Any

from portanet import activations, checks
from portanet.backends import Array
from portanet.layers.base import Layer


class ELU(Layer):
    """x where positive, else `alpha (exp(x) - 1)`; as `keras.layers.ELU`.

    Args:
        alpha: The alpha above.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.ELU(0.5)(np.asarray([-1.0, 2.0])).round(6)
        array([-0.31606,  2.     ])
    """

    independent_examples = True
    keeps_shape = True
    supports_masking = True
    casts_integers = True

    def __init__(self, alpha: float = 1.0, **options: Any) -> None:
        super().__init__(**options)
        self.alpha = checks.non_negative("alpha", alpha, self)

    def call(self, x: Array) -> Array:
        return activations.elu(x, alpha=self.alpha)
