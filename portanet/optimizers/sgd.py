"""Stochastic gradient descent."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from portanet import checks
from portanet.backends import Array
from portanet.optimizers.base import Tree, elementwise_step
from portanet.optimizers.momentum import WithMomentum
from portanet.schedules import Hyperparameter


class SGD(WithMomentum):
    """Gradient descent, optionally with momentum: `v = momentum * v - rate * g; p += v`; as in Keras.

    With `nesterov`, `p += momentum * v - rate * g` (Sutskever et al. 2013).

    Args:
        learning_rate: Step size, or a schedule.
        momentum: In [0, 1), or a schedule.
        nesterov: Whether to use Nesterov momentum.
        **options: Options of every `Optimizer`.

    Example:
        >>> import numpy as np
        >>> sgd = SGD(0.5)
        >>> params = {"w": np.asarray([1.0])}
        >>> params, state = sgd.update(params, {"w": np.asarray([1.0])}, sgd.init(params))
        >>> params["w"]
        array([0.5])
    """

    scheduled = ("momentum",)

    def __init__(
        self,
        learning_rate: Hyperparameter = 0.01,
        momentum: Hyperparameter = 0.0,
        nesterov: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.momentum = momentum
        self.nesterov = checks.boolean("nesterov", nesterov, type(self))

    @elementwise_step
    def step(self, p: Array, g: Array, slots: Tree, now: SimpleNamespace) -> Array:
        move = g * now.learning_rate
        if not slots:
            p -= move
            return p
        v = slots["momentum"]
        v *= now.momentum
        v -= move
        slots["momentum"] = v
        if self.nesterov:
            p += v * now.momentum
            p -= move
        else:
            p += v
        return p
