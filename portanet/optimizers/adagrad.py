"""Adagrad: steps divided by the root of the sum of squared gradients."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.optimizers.base import Optimizer, Tree, elementwise_step
from portanet.optimizers.rules import quotient
from portanet.schedules import Hyperparameter


class Adagrad(Optimizer):
    """Adagrad (Duchi, Hazan and Singer 2011): `a += g^2; p -= rate * g / sqrt(a + epsilon)`; as in Keras.

    Args:
        learning_rate: Step size, or a schedule.
        initial_accumulator_value: The initial value of `a`.
        epsilon: Keeps the division finite.
        **options: Options of every `Optimizer`.

    Example:
        >>> import numpy as np
        >>> adagrad = Adagrad(0.1, initial_accumulator_value=0.0)
        >>> params = {"w": np.asarray([1.0])}
        >>> params, state = adagrad.update(params, {"w": np.asarray([3.0])}, adagrad.init(params))
        >>> params["w"].round(6)
        array([0.9])
    """

    slots = ("accumulator",)

    def __init__(
        self,
        learning_rate: Hyperparameter = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-7,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.initial_accumulator_value = checks.non_negative(
            "initial_accumulator_value", initial_accumulator_value, type(self)
        )
        self.epsilon = checks.positive("epsilon", epsilon, type(self))

    def init_slot(self, slot: str, p: Array) -> Array:
        return array_namespace(p).full_like(p, self.initial_accumulator_value)

    @elementwise_step
    def step(self, p: Array, g: Array, slots: Tree, now: SimpleNamespace) -> Array:
        a = slots["accumulator"]
        a += g * g
        slots["accumulator"] = a
        move = quotient(g, array_namespace(p).sqrt(a + self.epsilon))
        move *= now.learning_rate
        p -= move
        return p
