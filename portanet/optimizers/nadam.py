"""Nadam: Adam with Nesterov momentum."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array, device_of
from portanet.optimizers.base import Optimizer, State, Tree, elementwise_step, widest
from portanet.optimizers.rules import one_minus_power, running_mean, running_square
from portanet.schedules import Hyperparameter
from portanet.schedules.base import hyperparameter


class Nadam(Optimizer):
    """Nadam (Dozat 2016), with its warm-up of the momentum, `u_t = beta_1 (1 - 0.96^t / 2)`; as in Keras.

    Args:
        learning_rate: Step size, or a schedule.
        beta_1: Decay of the mean of gradients, or a schedule.
        beta_2: Decay of the mean of squares, or a schedule.
        epsilon: Keeps the division finite.
        **options: Options of every `Optimizer`.

    Example:
        >>> import numpy as np
        >>> nadam = Nadam(0.1)
        >>> params = {"w": np.asarray([1.0])}
        >>> params, state = nadam.update(params, {"w": np.asarray([3.0])}, nadam.init(params))
        >>> params["w"].round(4)
        array([0.8937])
    """

    slots = ("m", "v")
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

    def init(self, params: Any) -> State:
        state = super().init(params)
        if state:
            t = state["iterations"]
            xp = array_namespace(t)
            wide = widest(xp, params.values())
            state["u_product"] = xp.ones((), dtype=wide, device=device_of(t))
        return state

    def prepare(self, xp: Any, now: SimpleNamespace, state: State) -> None:
        u = now.beta_1 * (1 - 0.5 * 0.96**now.t)
        u_next = now.beta_1 * (1 - 0.5 * 0.96 ** (now.t + 1))
        state["u_product"] = product = state["u_product"] * u
        now.of_m = now.learning_rate * u_next / (1 - product * u_next)
        now.of_g = now.learning_rate * (1 - u) / (1 - product)
        now.correction = 1 / xp.sqrt(one_minus_power(xp, now.beta_2, now.t))

    @elementwise_step
    def step(self, p: Array, g: Array, slots: Tree, now: SimpleNamespace) -> Array:
        xp = array_namespace(p)
        slots["m"] = m = running_mean(slots["m"], g, now.beta_1)
        slots["v"] = v = running_square(slots["v"], g, now.beta_2)
        root = xp.sqrt(v)
        root *= now.correction
        root += self.epsilon
        move = m * now.of_m
        move += g * now.of_g
        move /= root
        p -= move
        return p
