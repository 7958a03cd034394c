"""Optimizers with a momentum that may be 0."""

from __future__ import annotations

from portanet.optimizers.base import Optimizer
from portanet.schedules.base import Hyperparameter, hyperparameter


class WithMomentum(Optimizer):
    """An optimizer that has the slot `momentum` once its momentum is not 0."""

    @property
    def momentum(self) -> Hyperparameter:
        """The momentum: a number in [0, 1), or a schedule. It begins with 0 when it is set."""
        return self._momentum

    @momentum.setter
    def momentum(self, value: Hyperparameter) -> None:
        self._momentum = hyperparameter("momentum", value, type(self), "[0, 1)")
        if value:
            self.add_slot("momentum")
