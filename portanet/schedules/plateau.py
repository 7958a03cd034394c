"""Reduce the learning rate when a metric stops improving."""

from __future__ import annotations

import math
from typing import Any

from portanet import checks
from portanet.configurable import Configurable


class ReduceOnPlateau(Configurable):
    """Multiplies a learning rate by `factor` when a value has not improved for `patience` epochs; as in Keras.

    It depends on results, not on the step, so it is called after each epoch: `rate = plateau(rate, loss)`.

    Args:
        factor: Factor of the learning rate, in (0, 1).
        patience: Epochs without improvement before a reduction.
        mode: `"min"` if the value should fall, `"max"` if it should rise.
        min_delta: Smallest change that is an improvement.
        cooldown: Epochs after a reduction that do not count towards `patience`.
        min_lr: Lower bound of the learning rate.

    Example:
        >>> plateau, rate = ReduceOnPlateau(factor=0.5, patience=2), 0.1
        >>> for loss in (1.0, 0.8, 0.8, 0.8, 0.8, 0.8):
        ...     rate = plateau(rate, loss)
        >>> rate
        0.025
    """

    def __init__(
        self,
        factor: float = 0.1,
        patience: int = 10,
        mode: str = "min",
        min_delta: float = 0.0001,
        cooldown: int = 0,
        min_lr: float = 0.0,
    ) -> None:
        self.factor = checks.number("factor", factor, "(0, 1)", type(self))
        self.patience = checks.integer("patience", patience, type(self), least=0)
        self.mode = checks.choice("mode", mode, ("min", "max"), type(self))
        self.min_delta = checks.non_negative("min_delta", min_delta, type(self))
        self.cooldown = checks.integer("cooldown", cooldown, type(self), least=0)
        self.min_lr = checks.non_negative("min_lr", min_lr, type(self))
        self.reset()

    def reset(self) -> None:
        """Reset the state."""
        self.best: float | None = None
        self.wait = 0
        self.resting = 0

    def get_state(self) -> dict[str, Any]:
        """The state, as numbers by name."""
        return {"best": self.best, "wait": self.wait, "resting": self.resting}

    def set_state(self, state: dict[str, Any]) -> None:
        """Restore a state of `get_state`."""
        self.best, self.wait, self.resting = (state[name] for name in ("best", "wait", "resting"))

    def __call__(self, learning_rate: float, value: float) -> float:
        """The learning rate after an epoch that ended with `value`."""
        if self.resting:
            self.resting -= 1
            self.wait = 0
        if improves(value, self.best, self.mode, self.min_delta):
            self.best = value
            self.wait = 0
        elif not self.resting:
            self.wait += 1
            if self.wait >= self.patience and learning_rate > self.min_lr:
                learning_rate = max(learning_rate * self.factor, self.min_lr)
                self.resting = self.cooldown
                self.wait = 0
        return learning_rate


def improves(value: float, reference: float | None, mode: str, min_delta: float) -> bool:
    """Whether a value is better than `reference` by more than `min_delta`.

    NaN is never better, and every other value is better than NaN or None.

    Example:
        >>> improves(0.905, 0.9, "max", 0.01), improves(0.92, 0.9, "max", 0.01)
        (False, True)
        >>> improves(float("nan"), None, "min", 0.0), improves(5.0, float("nan"), "min", 0.0)
        (False, True)
    """
    if reference is None or math.isnan(reference):
        return not math.isnan(value)
    return value + min_delta < reference if mode == "min" else value - min_delta > reference
