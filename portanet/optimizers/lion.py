"""Lion: steps of one size, in the direction of the sign of the momentum."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.optimizers.base import Optimizer, Tree, elementwise_step
from portanet.optimizers.rules import running_mean
from portanet.schedules import Hyperparameter
from portanet.schedules.base import hyperparameter


class Lion(Optimizer):
    """Lion (Chen et al. 2023): `p -= rate * sign(beta_1 * m + (1 - beta_1) * g)`; as in Keras.

    Args:
        learning_rate: Step size, or a schedule; 3 to 10 times smaller than for Adam.
        beta_1: Weight of the momentum in a step, or a schedule.
        beta_2: Decay of the momentum, or a schedule.
        **options: Options of every `Optimizer`.

    Example:
        >>> import numpy as np
        >>> lion = Lion(0.1)
        >>> params = {"w": np.asarray([1.0])}
        >>> params, state = lion.update(params, {"w": np.asarray([3.0])}, lion.init(params))
        >>> params["w"]
        array([0.9])
    """

    slots = ("m",)
    scheduled = ("beta_1", "beta_2")

    def __init__(
        self,
        learning_rate: Hyperparameter = 0.001,
        beta_1: Hyperparameter = 0.9,
        beta_2: Hyperparameter = 0.99,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.beta_1 = hyperparameter("beta_1", beta_1, type(self), "[0, 1)")
        self.beta_2 = hyperparameter("beta_2", beta_2, type(self), "[0, 1)")

    @elementwise_step
    def step(self, p: Array, g: Array, slots: Tree, now: SimpleNamespace) -> Array:
        m = slots["m"]
        blend = m * now.beta_1
        blend += g * (1 - now.beta_1)
        move = array_namespace(p).sign(blend)
        move *= now.learning_rate
        p -= move
        slots["m"] = running_mean(m, g, now.beta_2)
        return p
