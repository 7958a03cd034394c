"""Stochastic gradient descent."""

from __future__ import annotations

from typing import Any

from portanet.backends import Array
from portanet.optimizers.base import Optimizer, Tree


class SGD(Optimizer):
    """Gradient descent, with momentum if asked for: `v = momentum * v - rate * g; p += v`; as Keras's.

    With `nesterov`, `p += momentum * v - rate * g` (Sutskever et al. 2013).

    Args:
        learning_rate: Step size.
        momentum: In [0, 1).
        nesterov: Whether to look ahead.
        **options: `weight_decay`, `clipnorm`, `clipvalue`, `global_clipnorm`, `name` of `Optimizer`.

    Example:
        >>> import numpy as np
        >>> sgd = SGD(0.5)
        >>> params = {"w": np.asarray([1.0])}
        >>> params, state = sgd.update(params, {"w": np.asarray([1.0])}, sgd.init(params))
        >>> params["w"]
        array([0.5])
    """

    def __init__(
        self, learning_rate: Any = 0.01, momentum: float = 0.0, nesterov: bool = False, **options: Any
    ) -> None:
        super().__init__(learning_rate, **options)
        if not isinstance(momentum, (int, float)) or not 0 <= momentum < 1:
            raise ValueError(f"Argument `momentum` must be in [0, 1). Received: momentum={momentum!r}")
        self.momentum = momentum
        self.nesterov = nesterov
        if momentum:
            self.slots = ("momentum",)  # type: ignore[misc]

    def step(self, p: Array, g: Array, slots: Tree, rate: Array, t: Array) -> Array:
        move = g * rate
        if not self.momentum:
            p -= move
            return p
        v = slots["momentum"]
        v *= self.momentum
        v -= move
        slots["momentum"] = v
        if self.nesterov:
            p += v * self.momentum
            p -= move
        else:
            p += v
        return p
