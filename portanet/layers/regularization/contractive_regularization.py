"""Penalties on the derivative of an encoder."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.backends import Array
from portanet.layers.base import Layer
from portanet.regularizers import contractive
from portanet.variables import collects_losses


class ContractiveRegularization(Layer):
    """Applies an encoder and adds `factor * mean ||d encoder(x) / dx||_F^2` to the loss: a contractive autoencoder.

    Source: S. Rifai et al., Contractive auto-encoders: explicit invariance during feature extraction, ICML 2011.

    Args:
        encoder: A layer or model from (batch, features) to (batch, units).
        factor: Weight of the penalty.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.ContractiveRegularization(layers.Dense(2, "sigmoid"), 0.1)(np.ones((4, 3), dtype="float32")).shape
        (4, 2)
    """

    supports_masking = True
    casts_integers = True

    def __init__(self, encoder: Layer, factor: float = 0.01, **options: Any) -> None:
        super().__init__(**options)
        if not isinstance(encoder, Layer):
            raise TypeError(
                f"Argument `encoder` of layer '{self.name}' must be a layer or model. "
                f"Received: encoder={encoder!r} (of type {type(encoder).__name__})"
            )
        self.encoder = encoder
        self.factor = checks.non_negative("factor", factor, self)

    def build(self, input_shape: Any) -> None:
        if not self.encoder._built:
            self.encoder.build(input_shape)

    def call(self, x: Array) -> Array:
        if not collects_losses():
            return self.encoder(x)
        code, penalty = contractive(self.encoder, x)
        self.add_loss(penalty * self.factor)
        return code

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.encoder.compute_output_shape(input_shape)
