"""Adam: steps scaled by running means of the gradient and its square."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array, elementwise
from portanet.optimizers.base import Optimizer, State, Tree, elementwise_step
from portanet.optimizers.rules import one_minus_power, quotient, running_mean, running_square
from portanet.schedules import Hyperparameter
from portanet.schedules.base import hyperparameter


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015), in the form at the end of its section 2, as in Keras.

    `m` and `v` are running means of g and g^2;
    `p -= rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)`.

    Args:
        learning_rate: Step size, or a schedule.
        beta_1: Decay of the mean of gradients, or a schedule.
        beta_2: Decay of the mean of squares, or a schedule.
        epsilon: Keeps the division finite.
        amsgrad: Whether to divide by the largest `v` so far (Reddi, Kale and Kumar 2018).
        **options: Options of every `Optimizer`.

    Example:
        >>> import numpy as np
        >>> adam = Adam(0.1)
        >>> params = {"w": np.asarray([1.0])}
        >>> params, state = adam.update(params, {"w": np.asarray([3.0])}, adam.init(params))
        >>> params["w"].round(6)
        array([0.9])
    """

    slots: tuple[str, ...] = ("m", "v")
    scheduled = ("beta_1", "beta_2")

    def __init__(
        self,
        learning_rate: Hyperparameter = 0.001,
        beta_1: Hyperparameter = 0.9,
        beta_2: Hyperparameter = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.beta_1 = hyperparameter("beta_1", beta_1, type(self), "[0, 1)")
        self.beta_2 = hyperparameter("beta_2", beta_2, type(self), "[0, 1)")
        self.epsilon = checks.positive("epsilon", epsilon, type(self))
        self.amsgrad = amsgrad

    @property
    def amsgrad(self) -> bool:
        """Whether to divide by the largest `v` so far: since it was set, if during training."""
        return self._amsgrad

    @amsgrad.setter
    def amsgrad(self, value: bool) -> None:
        self._amsgrad = checks.boolean("amsgrad", value, type(self))
        if value:
            self.add_slot("v_max")

    def prepare(self, xp: Any, now: SimpleNamespace, state: State) -> None:
        now.scale = now.learning_rate * _correction(now.t, now.beta_1, now.beta_2)

    @elementwise_step
    def step(self, p: Array, g: Array, slots: Tree, now: SimpleNamespace) -> Array:
        xp = array_namespace(p)
        slots["m"] = m = running_mean(slots["m"], g, now.beta_1)
        slots["v"] = v = running_square(slots["v"], g, now.beta_2)
        if self.amsgrad:
            slots["v_max"] = v = xp.maximum(slots["v_max"], v)
        root = xp.sqrt(v)
        root += self.epsilon
        move = quotient(m, root)
        move *= now.scale
        p -= move
        return p


@elementwise
def _correction(t: Array, beta_1: Any, beta_2: Any) -> Array:
    """What makes up for means that begin at 0."""
    xp = array_namespace(t)
    return xp.sqrt(one_minus_power(xp, beta_2, t)) / one_minus_power(xp, beta_1, t)


class AdamW(Adam):
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019): parameters shrink independently of gradients.

    Args:
        learning_rate: Step size, or a schedule.
        weight_decay: Parameters shrink by `learning_rate * weight_decay` in every step.
        beta_1: Decay of the mean of gradients, or a schedule.
        beta_2: Decay of the mean of squares, or a schedule.
        epsilon: Keeps the division finite.
        amsgrad: Whether to divide by the largest mean of squares so far.
        **options: Options of every `Optimizer`.

    Example:
        >>> import numpy as np
        >>> adam = AdamW(0.1, weight_decay=0.5)
        >>> params = {"w": np.asarray([1.0])}
        >>> params, state = adam.update(params, {"w": np.asarray([0.0])}, adam.init(params))
        >>> params["w"].round(6)
        array([0.95])
    """

    def __init__(
        self,
        learning_rate: Hyperparameter = 0.001,
        weight_decay: Hyperparameter = 0.004,
        beta_1: Hyperparameter = 0.9,
        beta_2: Hyperparameter = 0.999,
        epsilon: float = 1e-7,
        amsgrad: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, beta_1, beta_2, epsilon, amsgrad, weight_decay=weight_decay, **options)
