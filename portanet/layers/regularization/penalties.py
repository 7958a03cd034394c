"""Layers that change nothing but the loss."""

from __future__ import annotations

from typing import Any

from portanet.backends import Array
from portanet.layers.base import Layer
from portanet.regularizers import L1L2, contractive
from portanet.variables import collects_losses


class ActivityRegularization(Layer):
    """Passes its input on and adds `(l1 * sum(|x|) + l2 * sum(x^2)) / examples` to the loss.

    Args:
        l1: Factor of the sum of absolute values; it makes codes sparse.
        l2: Factor of the sum of squares.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> from portanet.variables import collect_losses
        >>> with collect_losses() as losses:
        ...     _ = layers.ActivityRegularization(l2=0.5)(np.ones((2, 3)))
        >>> float(losses[0])
        1.5
    """

    by_example = False
    keeps_shape = True
    keeps_values = True

    def __init__(self, l1: float = 0.0, l2: float = 0.0, **options: Any) -> None:
        super().__init__(activity_regularizer=L1L2(l1, l2), **options)
        self.l1 = l1
        self.l2 = l2

    def call(self, x: Array) -> Array:
        return x


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

    by_example = False

    def __init__(self, encoder: Layer, factor: float = 0.01, **options: Any) -> None:
        super().__init__(**options)
        if not isinstance(encoder, Layer):
            raise TypeError(
                f"Argument `encoder` of layer '{self.name}' must be a layer or model. "
                f"Received: encoder={encoder!r} (of type {type(encoder).__name__})"
            )
        if isinstance(factor, bool) or not isinstance(factor, (int, float)) or not factor >= 0:
            raise ValueError(
                f"Argument `factor` of layer '{self.name}' must be a non-negative number. Received: factor={factor!r}"
            )
        self.encoder = encoder
        self.factor = factor

    def build(self, input_shape: Any) -> None:
        if not self.encoder.built:
            self.encoder.build(input_shape)

    def call(self, x: Array) -> Array:
        if not collects_losses():
            return self.encoder(x)
        code, penalty = contractive(self.encoder, x)
        self.add_loss(penalty * self.factor)
        return code

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.encoder.compute_output_shape(input_shape)
