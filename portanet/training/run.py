"""A training run under way: what the steps of one call of `fit` share, looked up once rather than in every step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from portanet.backends import Array
from portanet.training.step import train_step

if TYPE_CHECKING:
    from portanet.training.trainer import Trainer


class TrainingRun:
    """Trains a compiled, built model batch by batch; after every step the model has the new weights.

    Args:
        model: The model.
    """

    def __init__(self, model: Trainer) -> None:
        loss, optimizer = model.require_compiled()
        self.model = model
        self.optimizer = optimizer
        self.variables = model.named_variables()
        self.trained = model.trainable_paths()
        self.kept = [path for path in self.variables if path not in set(self.trained)]
        self.step = model.compiled_step(
            ("train", *self.trained), lambda: train_step(model, loss, model.metrics, optimizer)
        )
        known = model.optimizer_state
        if known is None or known[0] != self.trained:
            params = {path: self.variables[path].value for path in self.trained}
            model.optimizer_state = (self.trained, optimizer.init(params))

    def take_over_learning_rate(self) -> None:
        """Let a learning rate count that the user has changed on the optimizer."""
        _, state = self.model.optimizer_state or ((), {})
        if state and not callable(self.optimizer.learning_rate):
            backend, old = self.model.backend, state["learning_rate"]
            rate = backend.from_host(np.asarray(self.optimizer.learning_rate, dtype="float64"))
            state["learning_rate"] = backend.xp.astype(rate, old.dtype)

    def finish(self) -> None:
        """Give the model the weights to keep: with `use_ema` of the optimizer, their average."""
        if self.model.optimizer_state is not None:
            params = {path: self.variables[path].value for path in self.trained}
            for path, value in self.optimizer.finalize(params, self.model.optimizer_state[1]).items():
                self.variables[path].assign(value)

    def __call__(self, x: Array, y: Array, weight: Array | None = None) -> dict[str, tuple[Array, ...]]:
        """Train on one batch; give its statistics, which stay on the device."""
        assert self.model.optimizer_state is not None
        params = {path: self.variables[path].value for path in self.trained}
        state = {path: self.variables[path].value for path in self.kept}
        paths, slots = self.model.optimizer_state
        params, state, slots, statistics = self.step(params, state, slots, x, y, weight)
        for values in (params, state):
            for path, value in values.items():
                self.variables[path].assign(value)
        self.model.optimizer_state = (paths, slots)
        found: dict[str, tuple[Array, ...]] = statistics
        return found
