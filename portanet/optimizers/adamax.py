"""Adamax: Adam with the maximum norm."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.optimizers.base import Optimizer, State, Tree, elementwise_step
from portanet.optimizers.rules import one_minus_power, quotient, running_mean
from portanet.schedules import Hyperparameter
from portanet.schedules.base import hyperparameter


class Adamax(Optimizer):
    """Adamax (Kingma and Ba 2015, section 7.1): steps divided by a decaying maximum of |g|; as in Keras.

    `u = max(beta_2 * u, |g|); p -= rate / (1 - beta_1^t) * m / (u + epsilon)`.

    Args:
        learning_rate: Step size, or a schedule.
        beta_1: Decay of the mean of gradients, or a schedule.
        beta_2: Decay of the maximum, or a schedule.
        epsilon: Keeps the division finite.
        **options: Options of every `Optimizer`.

    Example:
        >>> import numpy as np
        >>> adamax = Adamax(0.1)
        >>> params = {"w": np.asarray([1.0])}
        >>> params, state = adamax.update(params, {"w": np.asarray([3.0])}, adamax.init(params))
        >>> params["w"].round(6)
        array([0.9])
    """

    slots = ("m", "u")
    scheduled = ("beta_1", "beta_2")

    def __init__(
        self,
        learning_rate: Hyperparameter = 0.001,
        beta_1: Hyperparameter = 0.9,
        beta_2: Hyperparameter = 0.999,
        epsilon: float = 1e-7,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.beta_1 = hyperparameter("beta_1", beta_1, type(self), "[0, 1)")
        self.beta_2 = hyperparameter("beta_2", beta_2, type(self), "[0, 1)")
        self.epsilon = checks.positive("epsilon", epsilon, type(self))

    def prepare(self, xp: Any, now: SimpleNamespace, state: State) -> None:
        now.scale = now.learning_rate / one_minus_power(xp, now.beta_1, now.t)

    @elementwise_step
    def step(self, p: Array, g: Array, slots: Tree, now: SimpleNamespace) -> Array:
        xp = array_namespace(p)
        slots["m"] = m = running_mean(slots["m"], g, now.beta_1)
        slots["u"] = u = xp.maximum(slots["u"] * now.beta_2, xp.abs(g))
        move = quotient(m, u + self.epsilon)
        move *= now.scale
        p -= move
        return p
