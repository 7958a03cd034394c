"""Schedules composed of others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.backends import Array, device_of
from portanet.schedules.base import (
    Hyperparameter,
    LearningRateSchedule,
    hyperparameter,
    hyperparameters,
    share,
    steps,
    value_of,
)


class Warmup(LearningRateSchedule):
    """Rises linearly to the first value of a schedule, then follows it (Goyal et al. 2017).

    Args:
        schedule: A number or a schedule, whose steps start when the warm-up ends.
        warmup_steps: Steps of the warm-up.
        start: The value at step 0.

    Example:
        >>> [round(Warmup(0.1, 4)(step), 6) for step in range(6)]
        [0.0, 0.025, 0.05, 0.075, 0.1, 0.1]
    """

    def __init__(self, schedule: Hyperparameter, warmup_steps: int, start: float = 0.0) -> None:
        self.schedule = hyperparameter("schedule", schedule, type(self))
        self.warmup_steps = steps("warmup_steps", warmup_steps, type(self))
        self.start = checks.number("start", start, of=type(self))

    def value(self, xp: Any, step: Array, dtype: Any) -> Array:
        # During the warm-up the schedule is at step 0, so that its value is the target.
        target = _values(self.schedule, xp, xp.maximum(step - self.warmup_steps, 0), dtype)
        done = share(xp, xp.minimum(step, self.warmup_steps), self.warmup_steps, dtype)
        return xp.where(step < self.warmup_steps, self.start + (target - self.start) * done, target)


class Sequential(LearningRateSchedule):
    """One schedule after the other, each counting its steps from 0.

    Args:
        schedules: Numbers or schedules.
        boundaries: The increasing steps at which the second, third... begins; one fewer than schedules.

    Example:
        >>> from portanet.schedules import ExponentialDecay
        >>> rate = Sequential([0.1, ExponentialDecay(1.0, 1, 0.5)], [2])
        >>> [rate(step) for step in range(5)]
        [0.1, 0.1, 1.0, 0.5, 0.25]
    """

    def __init__(self, schedules: Sequence[Hyperparameter], boundaries: Sequence[int]) -> None:
        self.schedules = hyperparameters("schedules", schedules, type(self))
        if not isinstance(boundaries, (list, tuple)):
            raise checks.invalid("boundaries", boundaries, "a list of increasing steps", type(self))
        self.boundaries = [steps("boundaries", b, type(self)) for b in boundaries]
        if len(self.schedules) != len(self.boundaries) + 1 or sorted(set(self.boundaries)) != self.boundaries:
            raise ValueError(
                "Argument `boundaries` must be increasing steps, one fewer than `schedules`. "
                f"Received: {len(self.schedules)} schedules and boundaries={list(boundaries)!r}"
            )

    def value(self, xp: Any, step: Array, dtype: Any) -> Array:
        values = _values(self.schedules[0], xp, step, dtype)
        for schedule, start in zip(self.schedules[1:], self.boundaries, strict=True):
            values = xp.where(step >= start, _values(schedule, xp, xp.maximum(step - start, 0), dtype), values)
        return values


class Product(LearningRateSchedule):
    """The product of schedules, such as a decay times a warm-up from 0 to 1.

    Args:
        schedules: Numbers or schedules, at least one.

    Example:
        >>> from portanet.schedules import ExponentialDecay
        >>> Product([0.1, ExponentialDecay(1.0, 1, 0.5)])(1)
        0.05
    """

    def __init__(self, schedules: Sequence[Hyperparameter]) -> None:
        self.schedules = hyperparameters("schedules", schedules, type(self))

    def value(self, xp: Any, step: Array, dtype: Any) -> Array:
        values = _values(self.schedules[0], xp, step, dtype)
        for schedule in self.schedules[1:]:
            values = values * _values(schedule, xp, step, dtype)
        return values


def _values(schedule: Hyperparameter, xp: Any, step: Array, dtype: Any) -> Array:
    value = value_of(schedule, xp, step, dtype) if callable(schedule) else schedule
    if hasattr(value, "dtype"):
        return value
    return xp.full(tuple(step.shape), value, dtype=dtype, device=device_of(step))
