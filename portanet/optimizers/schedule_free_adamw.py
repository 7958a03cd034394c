"""Schedule-free AdamW: an average of the parameters in place of a schedule."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.optimizers.base import Optimizer, State, Tree, elementwise_step
from portanet.optimizers.rules import one_minus_power, running_square
from portanet.schedules import Hyperparameter


class ScheduleFreeAdamW(Optimizer):
    """Schedule-free AdamW (Defazio et al., The road less scheduled, 2024); as in Keras.

    Gradients are taken at p, between `z`, which takes the steps, and `x`, the mean of all `z`:
    `z -= rate * g / (sqrt(v / (1 - beta_2^t)) + epsilon)`; `x += (z - x) / t`; `p = (1 - beta_1) * z + beta_1 * x`.

    Args:
        learning_rate: Step size, or a schedule.
        beta_1: The place of p between `z` and `x`, in (0, 1].
        beta_2: Decay of the mean of squares `v`.
        epsilon: Keeps the division finite.
        warmup_steps: Number of steps in which the learning rate rises from 0.
        **options: Options of every `Optimizer`.

    Example:
        >>> import numpy as np
        >>> optimizer = ScheduleFreeAdamW(0.1)
        >>> params = {"w": np.asarray([1.0])}
        >>> params, state = optimizer.update(params, {"w": np.asarray([3.0])}, optimizer.init(params))
        >>> params["w"].round(6)
        array([0.9])
    """

    slots = ("momentum", "velocity")

    def __init__(
        self,
        learning_rate: Hyperparameter = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-8,
        warmup_steps: int = 0,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.beta_1 = checks.number("beta_1", beta_1, "(0, 1]", type(self))
        self.beta_2 = checks.number("beta_2", beta_2, "[0, 1)", type(self))
        self.epsilon = checks.positive("epsilon", epsilon, type(self))
        self.warmup_steps = checks.integer("warmup_steps", warmup_steps, type(self), least=0)

    def init_slot(self, slot: str, p: Array) -> Array:
        xp = array_namespace(p)
        return xp.asarray(p, copy=True) if slot == "momentum" else xp.zeros_like(p)

    def prepare(self, xp: Any, now: SimpleNamespace, state: State) -> None:
        now.rate = now.learning_rate * (xp.clip(now.t / self.warmup_steps, None, 1.0) if self.warmup_steps else 1.0)
        now.correction = one_minus_power(xp, self.beta_2, now.t)
        now.share = 1 / now.t

    @elementwise_step
    def step(self, p: Array, g: Array, slots: Tree, now: SimpleNamespace) -> Array:
        z = slots["momentum"]
        x = (p - (1 - self.beta_1) * z) / self.beta_1  # not stored: p tells it
        slots["velocity"] = v = running_square(slots["velocity"], g, self.beta_2)
        z -= now.rate * g / (array_namespace(p).sqrt(v / now.correction) + self.epsilon)
        slots["momentum"] = z
        x += (z - x) * now.share
        return (1 - self.beta_1) * z + self.beta_1 * x
