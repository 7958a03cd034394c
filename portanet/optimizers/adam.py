"""Adam: steps scaled by running means of the gradient and its square."""

from __future__ import annotations

import math
from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.optimizers.base import Optimizer, Tree


class Adam(Optimizer):
    """Adam (Kingma and Ba 2015), in the form of its section 2's last paragraph, as Keras's.

    `m` and `v` are running means of g and g^2, and
    p -= rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon).

    Args:
        learning_rate: Step size.
        beta_1: Decay of the mean of gradients.
        beta_2: Decay of the mean of squares.
        epsilon: Keeps the division finite.
        **options: `weight_decay`, `clipnorm`, `clipvalue`, `global_clipnorm`, `name` of `Optimizer`.

    Example:
        >>> import numpy as np
        >>> adam = Adam(0.1)
        >>> params = {"w": np.asarray([1.0])}
        >>> params, state = adam.update(params, {"w": np.asarray([3.0])}, adam.init(params))
        >>> params["w"].round(6)
        array([0.9])
    """

    slots = ("m", "v")

    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-7,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        for key, value in (("beta_1", beta_1), ("beta_2", beta_2)):
            if not 0 <= value < 1:
                raise ValueError(f"Argument `{key}` must be in [0, 1). Received: {key}={value!r}")
        self.beta_1 = beta_1
        self.beta_2 = beta_2
        self.epsilon = epsilon

    def step(self, p: Array, g: Array, slots: Tree, rate: Array, t: Array) -> Array:
        xp = array_namespace(p)
        m, v = slots["m"], slots["v"]
        m *= self.beta_1
        m += g * (1 - self.beta_1)
        v *= self.beta_2
        square = g * g
        square *= 1 - self.beta_2
        v += square
        slots["m"], slots["v"] = m, v
        scale = rate * xp.sqrt(_one_minus_power(xp, self.beta_2, t)) / _one_minus_power(xp, self.beta_1, t)
        root = xp.sqrt(v)
        root += self.epsilon
        move = m / root
        move *= scale
        p -= move
        return p


def _one_minus_power(xp: Any, beta: float, t: Array) -> Array:
    """`1 - beta^t`, exact also where beta^t is close to 1."""
    return -xp.expm1(t * math.log(beta)) if beta else t * 0 + 1
