"""Adafactor: second moments of matrices stored as rows and columns."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.optimizers.base import Optimizer, State, Tree
from portanet.schedules import Hyperparameter


class Adafactor(Optimizer):
    """Adafactor (Shazeer and Stern 2018): Adam's second moment, factored into a row and a column; as in Keras.

    Args:
        learning_rate: Step size relative to the size of the parameter, or a schedule.
        beta_2_decay: Exponent of the decay: `beta_2 = 1 - t^beta_2_decay`.
        epsilon_1: Added to the squared gradients.
        epsilon_2: Minimum size of a parameter in the relative step.
        clip_threshold: Maximum root mean square of a step before it is scaled.
        relative_step: Whether a constant learning rate is bounded by `1 / sqrt(t)`.
        **options: Options of every `Optimizer`.

    Example:
        >>> import numpy as np
        >>> adafactor = Adafactor(0.1)
        >>> params = {"w": np.ones((3, 4))}
        >>> params, state = adafactor.update(params, {"w": np.ones((3, 4))}, adafactor.init(params))
        >>> float(params["w"][0, 0].round(6)), state["rows"]["w"].shape, state["columns"]["w"].shape
        (0.9, (3,), (4,))
    """

    slots = ("rows", "columns", "v")

    def __init__(
        self,
        learning_rate: Hyperparameter = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 0.001,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(learning_rate, **options)
        self.beta_2_decay = checks.number("beta_2_decay", beta_2_decay, "(-inf, 0]", type(self))
        self.epsilon_1 = checks.positive("epsilon_1", epsilon_1, type(self))
        self.epsilon_2 = checks.positive("epsilon_2", epsilon_2, type(self))
        self.clip_threshold = checks.positive("clip_threshold", clip_threshold, type(self))
        self.relative_step = checks.boolean("relative_step", relative_step, type(self))

    def init_slot(self, slot: str, p: Array) -> Array | None:
        matrix = p.ndim >= 2
        if matrix == (slot == "v"):
            return None
        axis = {"rows": -1, "columns": -2}.get(slot)
        return array_namespace(p).zeros_like(p if axis is None else _mean(p, axis))

    def prepare(self, xp: Any, now: SimpleNamespace, state: State) -> None:
        bound = 1 / xp.sqrt(now.t)
        rate = now.learning_rate
        # Keras always bounds the step by 1 / sqrt(t), so that `relative_step` has no effect.
        now.relative = xp.where(rate < bound, rate, bound)
        now.fraction = now.t**self.beta_2_decay

    def step(self, p: Array, g: Array, slots: Tree, now: SimpleNamespace) -> Array:
        xp = array_namespace(p)
        square = g * g + self.epsilon_1
        if p.ndim >= 2:
            rows = slots["rows"] = _toward(slots["rows"], _mean(square, -1), now.fraction)
            columns = slots["columns"] = _toward(slots["columns"], _mean(square, -2), now.fraction)
            factor = rows / xp.mean(rows, axis=-1, keepdims=True)
            v = xp.expand_dims(factor, axis=-1) * xp.expand_dims(columns, axis=-2)
        else:
            v = slots["v"] = _toward(slots["v"], square, now.fraction)
        move = g / xp.sqrt(v)
        size = xp.maximum(_rms(xp, p), self.epsilon_2) * now.relative
        p -= move * (size / xp.maximum(_rms(xp, move) / self.clip_threshold, 1.0))
        return p


def _toward(x: Array, target: Array, fraction: Array) -> Array:
    """`x` moved by a fraction of the way to the target."""
    x += (target - x) * fraction
    return x


def _mean(x: Array, axis: int) -> Array:
    return array_namespace(x).mean(x, axis=axis)


def _rms(xp: Any, x: Array) -> Array:
    return xp.sqrt(xp.mean(x * x))
