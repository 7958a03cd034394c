"""Decay schedules: constant, piecewise, exponential, polynomial and power."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.backends import Array, device_of
from portanet.schedules.base import (
    LearningRateSchedule,
    entry,
    passed,
    share,
    steps,
)


class Constant(LearningRateSchedule):
    """The same value at every step.

    Args:
        learning_rate: The value.

    Example:
        >>> Constant(0.1)(1000)
        0.1
    """

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = checks.number("learning_rate", learning_rate, of=type(self))

    def value(self, xp: Any, step: Array, dtype: Any) -> Array:
        return xp.full(tuple(step.shape), self.learning_rate, dtype=dtype, device=device_of(step))


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


class PiecewiseConstantDecay(LearningRateSchedule):
    """`values[i]` up to and including step `boundaries[i]`, the last value after that; as in Keras.

    Args:
        boundaries: Increasing steps.
        values: One more than boundaries.
        name: Name shown in descriptions.

    Example:
        A tenth after half, and again after three quarters, of 100 steps:

        >>> rate = PiecewiseConstantDecay([49, 74], [0.1, 0.01, 0.001])
        >>> [rate(step) for step in (0, 49, 50, 74, 75, 99)]
        [0.1, 0.1, 0.01, 0.01, 0.001, 0.001]
    """

    def __init__(
        self,
        boundaries: Sequence[int],
        values: Sequence[float],
        name: str = "PiecewiseConstant",
    ) -> None:
        self.name = checks.text("name", name, type(self))
        if not isinstance(boundaries, (list, tuple)):
            raise checks.invalid("boundaries", boundaries, "a list of increasing integers", type(self))
        self.boundaries = [checks.integer("boundaries", _whole(b), type(self)) for b in boundaries]
        self.values = checks.numbers("values", values, of=type(self))
        if len(self.values) != len(self.boundaries) + 1:
            raise ValueError(
                "Argument `values` must have one entry more than `boundaries`. "
                f"Received: {len(self.values)} values and {len(self.boundaries)} boundaries"
            )
        if sorted(set(self.boundaries)) != self.boundaries:
            raise ValueError(f"Argument `boundaries` must be increasing integers. Received: boundaries={boundaries!r}")

    def value(self, xp: Any, step: Array, dtype: Any) -> Array:
        if not self.boundaries:
            return xp.full(tuple(step.shape), self.values[0], dtype=dtype, device=device_of(step))
        return entry(xp, self.values, passed(xp, self.boundaries, step), dtype)


class ExponentialDecay(LearningRateSchedule):
    """`initial_learning_rate * decay_rate ** (step / decay_steps)`; as in Keras.

    Args:
        initial_learning_rate: The value at step 0.
        decay_steps: Steps per factor of `decay_rate`.
        decay_rate: The factor, positive.
        staircase: Whether to change only every `decay_steps` steps.
        name: Name shown in descriptions.

    Example:
        >>> ExponentialDecay(1.0, 10, 0.25)(5)
        0.5
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "ExponentialDecay",
    ) -> None:
        self.name = checks.text("name", name, type(self))
        self.initial_learning_rate = checks.number("initial_learning_rate", initial_learning_rate, of=type(self))
        self.decay_steps = steps("decay_steps", decay_steps, type(self))
        self.decay_rate = checks.positive("decay_rate", decay_rate, type(self))
        self.staircase = checks.boolean("staircase", staircase, type(self))

    def value(self, xp: Any, step: Array, dtype: Any) -> Array:
        whole = xp.astype(step // self.decay_steps, dtype)
        value = self.initial_learning_rate * self.decay_rate**whole
        if not self.staircase:
            # A large exponent in float32 would lose the digits of its fractional part.
            value = value * self.decay_rate ** share(xp, step % self.decay_steps, self.decay_steps, dtype)
        return value


class StepDecay(ExponentialDecay):
    """Multiplied by `factor` every `decay_steps` steps.

    Args:
        initial_learning_rate: The value at step 0.
        decay_steps: Steps between changes.
        factor: The factor, positive.

    Example:
        >>> [round(StepDecay(0.1, 30, 0.1)(step), 6) for step in (0, 29, 30, 60)]
        [0.1, 0.1, 0.01, 0.001]
    """

    def __init__(self, initial_learning_rate: float, decay_steps: int, factor: float = 0.1) -> None:
        super().__init__(initial_learning_rate, decay_steps, factor, staircase=True)


class PolynomialDecay(LearningRateSchedule):
    """From the initial value to `end_learning_rate` as `(1 - step / decay_steps) ** power`; as in Keras.

    Args:
        initial_learning_rate: The value at step 0.
        decay_steps: Steps until the end value.
        end_learning_rate: The value after that.
        power: The exponent; 1 is linear.
        cycle: Whether to restart at the end, with 2, 3... times `decay_steps`.
        name: Name shown in descriptions.

    Example:
        >>> [round(PolynomialDecay(1.0, 10, 0.0, power=2.0)(step), 6) for step in (0, 5, 10, 20)]
        [1.0, 0.25, 0.0, 0.0]
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        end_learning_rate: float = 0.0001,
        power: float = 1.0,
        cycle: bool = False,
        name: str = "PolynomialDecay",
    ) -> None:
        self.name = checks.text("name", name, type(self))
        self.initial_learning_rate = checks.number("initial_learning_rate", initial_learning_rate, of=type(self))
        self.decay_steps = steps("decay_steps", decay_steps, type(self))
        self.end_learning_rate = checks.number("end_learning_rate", end_learning_rate, of=type(self))
        self.power = checks.non_negative("power", power, type(self))
        self.cycle = checks.boolean("cycle", cycle, type(self))

    def value(self, xp: Any, step: Array, dtype: Any) -> Array:
        if self.cycle:
            total = xp.maximum(-(-step // self.decay_steps), 1) * self.decay_steps
            remaining = xp.astype(total - step, dtype) / xp.astype(total, dtype)
        else:
            remaining = share(xp, xp.maximum(self.decay_steps - step, 0), self.decay_steps, dtype)
        return (self.initial_learning_rate - self.end_learning_rate) * remaining**self.power + self.end_learning_rate


class InverseTimeDecay(LearningRateSchedule):
    """`initial_learning_rate / (1 + decay_rate * step / decay_steps)`; as in Keras.

    The form eta0 / (1 + eta0 * lambda * t), for a penalty of weight lambda (Bottou 2010), has `decay_steps` 1 and
    `decay_rate` eta0 * lambda.

    Args:
        initial_learning_rate: The value at step 0.
        decay_steps: Steps in which the divisor grows by `decay_rate`.
        decay_rate: Growth of the divisor, non-negative.
        staircase: Whether to change only every `decay_steps` steps.
        name: Name shown in descriptions.

    Example:
        >>> eta0, penalty = 0.5, 0.01
        >>> InverseTimeDecay(eta0, 1, eta0 * penalty)(200)
        0.25
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        decay_rate: float,
        staircase: bool = False,
        name: str = "InverseTimeDecay",
    ) -> None:
        self.name = checks.text("name", name, type(self))
        self.initial_learning_rate = checks.number("initial_learning_rate", initial_learning_rate, of=type(self))
        self.decay_steps = steps("decay_steps", decay_steps, type(self))
        self.decay_rate = checks.non_negative("decay_rate", decay_rate, type(self))
        self.staircase = checks.boolean("staircase", staircase, type(self))

    def value(self, xp: Any, step: Array, dtype: Any) -> Array:
        if self.staircase:
            time = xp.astype(step // self.decay_steps, dtype)
        else:
            time = share(xp, step, self.decay_steps, dtype)
        return self.initial_learning_rate / (1.0 + self.decay_rate * time)


class PowerDecay(LearningRateSchedule):
    """`initial_learning_rate / (1 + step) ** power`: eta / (1 + t)^gamma.

    For `gradient_noise` of an optimizer, with eta in {0.01, 0.3, 1} and gamma 0.55 (Neelakantan et al. 2015). The
    conditions of Robbins and Monro hold for powers in (0.5, 1].

    Args:
        initial_learning_rate: The value at step 0.
        power: The exponent.

    Example:
        >>> PowerDecay(1.0, 0.5)(3)
        0.5
    """

    def __init__(self, initial_learning_rate: float, power: float = 0.55) -> None:
        self.initial_learning_rate = checks.number("initial_learning_rate", initial_learning_rate, of=type(self))
        self.power = checks.non_negative("power", power, type(self))

    def value(self, xp: Any, step: Array, dtype: Any) -> Array:
        return self.initial_learning_rate * (1.0 + xp.astype(step, dtype)) ** -self.power
