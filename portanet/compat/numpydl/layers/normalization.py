"""Batch normalisation."""

from __future__ import annotations

from typing import Any

from portanet import layers
from portanet.compat.numpydl import initializations
from portanet.compat.numpydl.layers.base import Layer, options
from portanet.compat.numpydl.layers.weights import Weight


class BatchNormal(Layer):
    """Normalise over the batch, with running averages for inference (Ioffe and Szegedy 2015).

    Args:
        epsilon: Added to the variance.
        momentum: Momentum of the running averages.
        axis: 0 for statistics per element of an example (with 2 axes: per feature), 1 for statistics per channel.
        beta_init: Initial shift.
        gamma_init: Initial scale.

    Example:
        >>> import numpy as np
        >>> from portanet.compat import numpydl as npdl
        >>> model = npdl.Model([npdl.layers.Dense(n_out=2, n_in=3), npdl.layers.BatchNormal()])
        >>> model.compile("mse")
        >>> model.predict(np.ones((4, 3))).shape
        (4, 2)
    """

    beta, gamma = Weight("beta"), Weight("gamma")
    dbeta, dgamma = Weight("beta", grad=True), Weight("gamma", grad=True)

    def __init__(
        self,
        epsilon: float = 1e-6,
        momentum: float = 0.9,
        axis: int = 0,
        beta_init: Any = "zero",
        gamma_init: Any = "one",
    ) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.momentum = momentum
        self.axis = axis
        self.beta_init = initializations.get(beta_init)
        self.gamma_init = initializations.get(gamma_init)

    def make(self, shape: tuple[int | None, ...]) -> layers.Layer:
        return layers.BatchNormalization(
            axis=self.axis if self.axis else list(range(1, len(shape))),
            momentum=self.momentum,
            epsilon=self.epsilon,
            beta_initializer=self.beta_init.for_portanet,
            gamma_initializer=self.gamma_init.for_portanet,
            **options("batch_normal"),
        )
