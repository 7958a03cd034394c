"""FTRL: every parameter is the minimiser of the linearised losses so far, with regularization."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.optimizers.base import Optimizer, Tree, elementwise_step
from portanet.schedules import Hyperparameter


class Ftrl(Optimizer):
    """Follow the regularized leader (McMahan et al., Ad click prediction: a view from the trenches, 2013); as in Keras.

    With `n` the sum of g^2 and `power = -learning_rate_power`: `z += g - (n_new^power - n^power) / rate * p`;
    `p = (clip(z, -l1, l1) - z) / (n_new^power / rate + 2 * l2)`. The first step forgets the initial parameters.

    Args:
        learning_rate: Step size, or a schedule.
        learning_rate_power: How steps shrink with the sum of squares, at most 0; 0 for not at all.
        initial_accumulator_value: The initial value of `n`.
        l1_regularization_strength: The weight of |p|, which makes small parameters 0.
        l2_regularization_strength: The weight of p^2.
        l2_shrinkage_regularization_strength: The weight of p^2 in the gradient that `z` adds up.
        beta: Adds `beta / (2 * rate)` to `l2_regularization_strength`; the paper's beta.
        **options: Options of every `Optimizer`.

    Example:
        >>> import numpy as np
        >>> ftrl = Ftrl(0.5, initial_accumulator_value=0.0)
        >>> params = {"w": np.asarray([0.0])}
        >>> params, state = ftrl.update(params, {"w": np.asarray([3.0])}, ftrl.init(params))
        >>> params["w"]
        array([-0.5])
    """

    slots = ("accumulator", "linear")

    def __init__(
        self,
        learning_rate: Hyperparameter = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        of = type(self)
        self.learning_rate_power = checks.number("learning_rate_power", learning_rate_power, "(-inf, 0]", of)
        self.initial_accumulator_value = checks.non_negative("initial_accumulator_value", initial_accumulator_value, of)
        self.l1_regularization_strength = checks.non_negative(
            "l1_regularization_strength", l1_regularization_strength, of
        )
        self.l2_regularization_strength = checks.non_negative(
            "l2_regularization_strength", l2_regularization_strength, of
        )
        self.l2_shrinkage_regularization_strength = checks.non_negative(
            "l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength, of
        )
        self.beta = checks.non_negative("beta", beta, of)

    def init_slot(self, slot: str, p: Array) -> Array:
        xp = array_namespace(p)
        return xp.full_like(p, self.initial_accumulator_value) if slot == "accumulator" else xp.zeros_like(p)

    @elementwise_step
    def step(self, p: Array, g: Array, slots: Tree, now: SimpleNamespace) -> Array:
        xp, power, l1 = array_namespace(p), -self.learning_rate_power, self.l1_regularization_strength
        old = slots["accumulator"] ** power
        slots["accumulator"] += g * g
        new = slots["accumulator"] ** power
        slots["linear"] += g + 2 * self.l2_shrinkage_regularization_strength * p - (new - old) / now.learning_rate * p
        z = slots["linear"]
        curvature = (new + self.beta) / now.learning_rate + 2 * self.l2_regularization_strength
        # Without curvature there was no gradient yet.
        return (xp.clip(z, -l1, l1) - z) / xp.where(curvature == 0, 1.0, curvature)
