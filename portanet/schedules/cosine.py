"""Cosine schedules: with warm-up, with restarts, and one cycle up and down."""

from __future__ import annotations

import math
from typing import Any

from portanet import checks
from portanet.backends import Array
from portanet.schedules.base import (
    LearningRateSchedule,
    entry,
    passed,
    share,
    steps,
)


def half_wave(xp: Any, done: Array) -> Array:
    """`(1 + cos(pi x)) / 2`, as a square, which is accurate near 0."""
    return xp.cos((0.5 * math.pi) * done) ** 2


class CosineDecay(LearningRateSchedule):
    """A cosine from the initial value to `alpha` times it, after an optional linear warm-up; as in Keras.

    Source: I. Loshchilov, F. Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017.

    Args:
        initial_learning_rate: The value at step 0.
        decay_steps: Steps of the decay.
        alpha: The fraction left at the end.
        warmup_target: If given, the value first rises to it.
        warmup_steps: Steps of the warm-up.
        name: Name shown in descriptions.

    Example:
        >>> rate = CosineDecay(0.0, 100, warmup_target=0.1, warmup_steps=10)
        >>> [round(rate(step), 6) for step in (0, 5, 10, 60, 110, 200)]
        [0.0, 0.05, 0.1, 0.05, 0.0, 0.0]
    """

    def __init__(
        self,
        initial_learning_rate: float,
        decay_steps: int,
        alpha: float = 0.0,
        name: str = "CosineDecay",
        warmup_target: float | None = None,
        warmup_steps: int = 0,
    ) -> None:
        self.name = checks.text("name", name, type(self))
        self.initial_learning_rate = checks.number("initial_learning_rate", initial_learning_rate, of=type(self))
        self.decay_steps = steps("decay_steps", decay_steps, type(self))
        self.alpha = checks.number("alpha", alpha, of=type(self))
        self.warmup_target = (
            None if warmup_target is None else checks.number("warmup_target", warmup_target, of=type(self))
        )
        unused = warmup_target is None
        checked = steps("warmup_steps", warmup_steps, type(self), least=0 if unused else 1)
        self.warmup_steps = 0 if unused else checked

    def value(self, xp: Any, step: Array, dtype: Any) -> Array:
        start = self.initial_learning_rate if self.warmup_target is None else self.warmup_target
        done = xp.minimum(xp.maximum(step - self.warmup_steps, 0), self.decay_steps)
        wave = half_wave(xp, share(xp, done, self.decay_steps, dtype))
        falling = start * ((1 - self.alpha) * wave + self.alpha)
        if self.warmup_target is None:
            return falling
        rise = share(xp, step, self.warmup_steps, dtype) * (self.warmup_target - self.initial_learning_rate)
        return xp.where(step < self.warmup_steps, rise + self.initial_learning_rate, falling)


class CosineDecayRestarts(LearningRateSchedule):
    """Cosine decay with restarts, each period `t_mul` times as long and `m_mul` times as high as the last.

    Source: I. Loshchilov, F. Hutter, SGDR: stochastic gradient descent with warm restarts, ICLR 2017; as in Keras.

    Args:
        initial_learning_rate: The value at step 0.
        first_decay_steps: Steps of the first period.
        t_mul: Factor of the lengths: 1, or at least 1.01.
        m_mul: Factor of the heights.
        alpha: The fraction of the initial value left at the end of a period.
        name: Name shown in descriptions.

    Example:
        >>> rate = CosineDecayRestarts(0.1, 10, m_mul=0.5)  # restarts at 10, 30, 70
        >>> [round(rate(step), 6) for step in (0, 5, 10, 20, 30)]
        [0.1, 0.05, 0.05, 0.025, 0.025]
    """

    def __init__(
        self,
        initial_learning_rate: float,
        first_decay_steps: int,
        t_mul: float = 2.0,
        m_mul: float = 1.0,
        alpha: float = 0.0,
        name: str = "SGDRDecay",
    ) -> None:
        self.name = checks.text("name", name, type(self))
        self.initial_learning_rate = checks.number("initial_learning_rate", initial_learning_rate, of=type(self))
        self.first_decay_steps = steps("first_decay_steps", first_decay_steps, type(self))
        self.t_mul = checks.number("t_mul", t_mul, of=type(self))
        if t_mul != 1 and not t_mul >= 1.01:
            raise checks.invalid("t_mul", t_mul, "1 or at least 1.01", type(self))
        self.m_mul = checks.non_negative("m_mul", m_mul, type(self))
        self.alpha = checks.number("alpha", alpha, of=type(self))

    def value(self, xp: Any, step: Array, dtype: Any) -> Array:
        if self.t_mul == 1:
            number = xp.astype(step // self.first_decay_steps, dtype)
            done = share(xp, step % self.first_decay_steps, self.first_decay_steps, dtype)
        else:
            # A table of the few restarts within int32; logarithms in float32 would miss some by a step.
            starts = [0.0]
            while starts[-1] < 2**31:
                starts.append(starts[-1] + self.first_decay_steps * self.t_mul ** (len(starts) - 1))
            begun = step if xp.isdtype(step.dtype, "integral") else xp.floor(step)
            index = passed(xp, [math.ceil(start) - 1 for start in starts[1:-1]], begun)
            number = xp.astype(index, dtype)
            lengths = [self.first_decay_steps * self.t_mul**i for i in range(len(starts))]
            whole = [math.floor(start) for start in starts]
            integers = entry(xp, whole[:-1], index, step.dtype)
            rest = entry(xp, [start - floor for start, floor in zip(starts, whole, strict=True)], index, dtype)
            done = (xp.astype(step - integers, dtype) - rest) / entry(xp, lengths, index, dtype)
        height = self.m_mul**number
        return self.initial_learning_rate * ((1 - self.alpha) * height * half_wave(xp, done) + self.alpha)


class OneCycle(LearningRateSchedule):
    """Up from `initial` to `maximum`, then down to `final`: one cycle over the whole training; as in PyTorch.

    For momentum, pass the high value at both ends: `OneCycle(0.85, steps, initial=0.95, final=0.95)`.

    Source: L. N. Smith, N. Topin, Super-convergence, 2017.

    Args:
        maximum: The value at the peak.
        total_steps: Steps of the cycle.
        pct_start: Fraction of the steps before the peak, in (0, 1).
        anneal: `"cos"` or `"linear"`.
        initial: The value at step 0; by default `maximum / 25`.
        final: The value at the last step; by default `initial / 10000`.

    Example:
        >>> rate = OneCycle(1.0, 101, pct_start=0.5, anneal="linear", initial=0.0, final=0.0)
        >>> [round(rate(step), 2) for step in (0, 49, 100)]
        [0.0, 0.99, 0.0]
    """

    def __init__(
        self,
        maximum: float,
        total_steps: int,
        pct_start: float = 0.3,
        anneal: str = "cos",
        initial: float | None = None,
        final: float | None = None,
    ) -> None:
        self.maximum = checks.number("maximum", maximum, of=type(self))
        self.total_steps = steps("total_steps", total_steps, type(self))
        self.pct_start = checks.number("pct_start", pct_start, "[0, 1]", type(self))
        if not 1 < self.pct_start * self.total_steps < self.total_steps:
            raise ValueError(
                "Argument `pct_start` must leave at least one step before and one after the peak. "
                f"Received: pct_start={pct_start!r}, total_steps={total_steps!r}"
            )
        self.anneal = checks.choice("anneal", anneal, ("cos", "linear"), type(self))
        self.initial = self.maximum / 25 if initial is None else checks.number("initial", initial, of=type(self))
        self.final = self.initial / 1e4 if final is None else checks.number("final", final, of=type(self))

    def value(self, xp: Any, step: Array, dtype: Any) -> Array:
        time = xp.astype(xp.minimum(step, self.total_steps - 1), dtype)
        peak, last = self.pct_start * self.total_steps - 1, self.total_steps - 1
        up = self._between(xp, self.initial, self.maximum, time / peak)
        down = self._between(xp, self.maximum, self.final, (time - peak) / (last - peak))
        return xp.where(time <= peak, up, down)

    def _between(self, xp: Any, start: float, end: float, done: Array) -> Array:
        wave = 1.0 - done if self.anneal == "linear" else half_wave(xp, done)
        return end + (start - end) * wave
