"""LAMB: Adam for large batches, with the step of each parameter proportional to its norm."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.optimizers.base import Optimizer, State, Tree
from portanet.optimizers.rules import one_minus_power, running_mean, running_square
from portanet.schedules import Hyperparameter
from portanet.schedules.base import hyperparameter


class Lamb(Optimizer):
    """LAMB (You et al. 2020): Adam's step, scaled to `rate * |p|` per parameter; as in Keras.

    Args:
        learning_rate: Step size, or a schedule.
        beta_1: Decay of the mean of gradients, or a schedule.
        beta_2: Decay of the mean of squares, or a schedule.
        epsilon: Keeps the division finite.
        **options: Options of every `Optimizer`.

    Example:
        >>> import numpy as np
        >>> lamb = Lamb(0.1)
        >>> params = {"w": np.asarray([3.0, 4.0])}
        >>> params, state = lamb.update(params, {"w": np.asarray([0.0, 7.0])}, lamb.init(params))
        >>> params["w"].round(6)
        array([3. , 3.5])
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

    def prepare(self, xp: Any, now: SimpleNamespace, state: State) -> None:
        now.of_m = 1 / one_minus_power(xp, now.beta_1, now.t)
        now.of_root = 1 / xp.sqrt(one_minus_power(xp, now.beta_2, now.t))

    def step(self, p: Array, g: Array, slots: Tree, now: SimpleNamespace) -> Array:
        xp = array_namespace(p)
        slots["m"] = m = running_mean(slots["m"], g, now.beta_1)
        slots["v"] = v = running_square(slots["v"], g, now.beta_2)
        root = xp.sqrt(v)
        root *= now.of_root
        root += self.epsilon
        move = m * now.of_m / root
        norm, move_norm = xp.sqrt(xp.sum(p * p)), xp.sqrt(xp.sum(move * move))
        both = (norm > 0) & (move_norm > 0)
        ratio = xp.where(both, norm / xp.where(both, move_norm, xp.ones_like(move_norm)), xp.ones_like(norm))
        p -= move * (ratio * now.learning_rate)
        return p
