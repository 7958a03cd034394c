"""Rprop: a step size per element, adapted by the signs of successive gradients."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.optimizers.base import Optimizer, Tree, elementwise_step


class Rprop(Optimizer):
    """Resilient backpropagation without backtracking (Riedmiller 1994), for full batches; as in PyTorch.

    A step size grows while its gradient keeps its sign and shrinks when the sign changes; the gradient's size does not
    matter.

    Args:
        learning_rate: The initial step sizes; a number.
        eta_minus: Factor of a step size after a change of sign, in (0, 1).
        eta_plus: Factor otherwise, larger than 1.
        min_step: Minimum step size.
        max_step: Maximum step size.
        **options: Options of every `Optimizer`.

    Example:
        >>> import numpy as np
        >>> rprop = Rprop(0.1)
        >>> params, state = {"w": np.asarray([1.0])}, None
        >>> state = rprop.init(params)
        >>> for slope in (3.0, 0.1, -5.0):  # moves by 0.1, by 0.12, and not when the sign changes
        ...     params, state = rprop.update(params, {"w": np.asarray([slope])}, state)
        >>> params["w"].round(6), state["step_size"]["w"].round(6)
        (array([0.78]), array([0.06]))
    """

    slots = ("previous", "step_size")

    def __init__(
        self,
        learning_rate: float = 0.01,
        eta_minus: float = 0.5,
        eta_plus: float = 1.2,
        min_step: float = 1e-6,
        max_step: float = 50.0,
        **options: Any,
    ) -> None:
        super().__init__(checks.positive("learning_rate", learning_rate, type(self)), **options)
        self.eta_minus = checks.number("eta_minus", eta_minus, "(0, 1)", type(self))
        self.eta_plus = checks.number("eta_plus", eta_plus, "(1, inf)", type(self))
        self.min_step = checks.positive("min_step", min_step, type(self))
        self.max_step = checks.positive("max_step", max_step, type(self))
        if min_step > max_step:
            raise ValueError(
                "Argument `min_step` must not be larger than `max_step`. "
                f"Received: min_step={min_step!r}, max_step={max_step!r}"
            )

    def init_slot(self, slot: str, p: Array) -> Array:
        first = 0.0 if callable(self.rates) or slot == "previous" else self.rates
        return array_namespace(p).full_like(p, first)

    @elementwise_step
    def step(self, p: Array, g: Array, slots: Tree, now: SimpleNamespace) -> Array:
        xp = array_namespace(p)
        agreement = xp.sign(g * slots["previous"])
        factor = xp.where(agreement > 0, self.eta_plus, xp.where(agreement < 0, self.eta_minus, xp.ones_like(g)))
        size = xp.minimum(xp.maximum(slots["step_size"] * factor, self.min_step), self.max_step)
        slots["step_size"] = size
        slots["previous"] = g = xp.where(agreement < 0, 0.0, g)
        p -= xp.sign(g) * size
        return p
