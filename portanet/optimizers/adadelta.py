"""Adadelta: steps in the units of the parameters."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.optimizers.base import Optimizer, Tree, elementwise_step
from portanet.optimizers.rules import running_square
from portanet.schedules import Hyperparameter
from portanet.schedules.base import hyperparameter


class Adadelta(Optimizer):
    """Adadelta (Zeiler 2012): `p -= rate * g * rms(moves) / rms(gradients)` with running means; as in Keras.

    Args:
        learning_rate: Factor of the step, or a schedule; 1 in the paper.
        rho: Decay of the running means, or a schedule.
        epsilon: Keeps the division finite and the first move non-zero.
        **options: Options of every `Optimizer`.

    Example:
        >>> import numpy as np
        >>> adadelta = Adadelta(1.0, epsilon=1e-6)
        >>> params = {"w": np.asarray([1.0])}
        >>> params, state = adadelta.update(params, {"w": np.asarray([3.0])}, adadelta.init(params))
        >>> params["w"].round(6)
        array([0.995528])
    """

    slots = ("mean_gradients", "mean_moves")
    scheduled = ("rho",)

    def __init__(
        self,
        learning_rate: Hyperparameter = 0.001,
        rho: Hyperparameter = 0.95,
        epsilon: float = 1e-7,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.rho = hyperparameter("rho", rho, type(self), "[0, 1)")
        self.epsilon = checks.positive("epsilon", epsilon, type(self))

    @elementwise_step
    def step(self, p: Array, g: Array, slots: Tree, now: SimpleNamespace) -> Array:
        xp = array_namespace(p)
        slots["mean_gradients"] = gradients = running_square(slots["mean_gradients"], g, now.rho)
        move = xp.sqrt((slots["mean_moves"] + self.epsilon) / (gradients + self.epsilon))
        move *= g
        slots["mean_moves"] = running_square(slots["mean_moves"], move, now.rho)
        move *= now.learning_rate
        p -= move
        return p
