"""Schedules made of others."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.backends import Array, device_of
from portanet.schedules.base import (
    Hyperparameter,
    LearningRateSchedule,
    hyperparameter,
    share,
    steps,
    value_of,
)


class Warmup(LearningRateSchedule):
    """Rises along a line to the first value of a schedule, then follows it (Goyal et al. 2017).

    Args:
        schedule: A number or a schedule; its clock starts when the rise ends.
        warmup_steps: Steps of the rise.
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
        # While it rises, the clock of the schedule stands at 0: its value is then the one to reach.
        later = _values(self.schedule, xp, xp.maximum(step - self.warmup_steps, 0), dtype)
        done = share(xp, xp.minimum(step, self.warmup_steps), self.warmup_steps, dtype)
        return xp.where(step < self.warmup_steps, self.start + (later - self.start) * done, later)


class Sequential(LearningRateSchedule):
    """One schedule after the other, each with a clock of its own that starts at 0.

    Args:
        schedules: Numbers or schedules.
        boundaries: The steps at which the second, third... begins, rising; one fewer than schedules.

    Example:
        >>> from portanet.schedules import ExponentialDecay
        >>> rate = Sequential([0.1, ExponentialDecay(1.0, 1, 0.5)], [2])
        >>> [rate(step) for step in range(5)]
        [0.1, 0.1, 1.0, 0.5, 0.25]
    """

    def __init__(self, schedules: Sequence[Hyperparameter], boundaries: Sequence[int]) -> None:
        self.schedules = [hyperparameter("schedules", s, type(self)) for s in schedules]
        self.boundaries = [steps("boundaries", b, type(self)) for b in boundaries]
        if len(self.schedules) != len(self.boundaries) + 1 or sorted(set(self.boundaries)) != self.boundaries:
            raise ValueError(
                "Argument `boundaries` must be rising steps, one fewer than `schedules`. "
                f"Received: {len(self.schedules)} schedules and boundaries={list(boundaries)!r}"
            )

    def value(self, xp: Any, step: Array, dtype: Any) -> Array:
        found = _values(self.schedules[0], xp, step, dtype)
        for schedule, start in zip(self.schedules[1:], self.boundaries, strict=True):
            found = xp.where(step >= start, _values(schedule, xp, xp.maximum(step - start, 0), dtype), found)
        return found


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
        self.schedules = [hyperparameter("schedules", s, type(self)) for s in schedules]
        if not self.schedules:
            raise ValueError(f"Argument `schedules` must hold at least one schedule. Received: {schedules!r}")

    def value(self, xp: Any, step: Array, dtype: Any) -> Array:
        found = _values(self.schedules[0], xp, step, dtype)
        for schedule in self.schedules[1:]:
            found = found * _values(schedule, xp, step, dtype)
        return found


def _values(schedule: Hyperparameter, xp: Any, step: Array, dtype: Any) -> Array:
    found = value_of(schedule, xp, step, dtype)
    if hasattr(found, "dtype"):
        return found
    return xp.full(tuple(step.shape), found, dtype=dtype, device=device_of(step))
