"""RMSprop: steps divided by the root of a running mean of squared gradients."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.optimizers.base import Tree, elementwise_step
from portanet.optimizers.momentum import WithMomentum
from portanet.optimizers.rules import quotient, running_mean, running_square
from portanet.schedules import Hyperparameter
from portanet.schedules.base import hyperparameter


class RMSprop(WithMomentum):
    """RMSprop (Hinton 2012): `v` is a running mean of g^2; `p -= rate * g / sqrt(v + epsilon)`; as in Keras.

    Args:
        learning_rate: Step size, or a schedule.
        rho: Decay of the running mean, or a schedule.
        momentum: Decay of the sum of steps, in [0, 1), or a schedule; 0 for none.
        epsilon: Keeps the division finite.
        centered: Whether to divide by the running variance (`v` minus the square of a running mean of g).
        **options: Options of every `Optimizer`.

    Example:
        >>> import numpy as np
        >>> rmsprop = RMSprop(0.1, rho=0.75)
        >>> params = {"w": np.asarray([1.0])}
        >>> params, state = rmsprop.update(params, {"w": np.asarray([3.0])}, rmsprop.init(params))
        >>> params["w"].round(6)
        array([0.8])
    """

    slots = ("v",)
    scheduled = ("rho", "momentum")

    def __init__(
        self,
        learning_rate: Hyperparameter = 0.001,
        rho: Hyperparameter = 0.9,
        momentum: Hyperparameter = 0.0,
        epsilon: float = 1e-7,
        centered: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.rho = hyperparameter("rho", rho, type(self), "[0, 1)")
        self.epsilon = checks.positive("epsilon", epsilon, type(self))
        self.centered = centered
        self.momentum = momentum

    @property
    def centered(self) -> bool:
        """Whether to divide by the running variance; its mean begins with 0 when it is set."""
        return self._centered

    @centered.setter
    def centered(self, value: bool) -> None:
        self._centered = checks.boolean("centered", value, type(self))
        if value:
            self.add_slot("mean")

    @elementwise_step
    def step(self, p: Array, g: Array, slots: Tree, now: SimpleNamespace) -> Array:
        slots["v"] = v = running_square(slots["v"], g, now.rho)
        if self.centered:
            slots["mean"] = mean = running_mean(slots["mean"], g, now.rho)
            v = v - mean * mean
        move = quotient(g, array_namespace(p).sqrt(v + self.epsilon))
        move *= now.learning_rate
        if "momentum" in slots:
            velocity = slots["momentum"]
            velocity *= now.momentum
            velocity += move
            slots["momentum"] = move = velocity
        p -= move
        return p
