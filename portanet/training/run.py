"""A training run under way: what the steps of one call of `fit` share, looked up once rather than in every step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portanet.backends import Array, asarray
from portanet.optimizers.base import widest
from portanet.training.interrupts import uninterrupted
from portanet.training.step import train_step

if TYPE_CHECKING:
    from portanet.training.trainer import Trainer


class TrainingRun:
    """Trains a compiled, built model batch by batch; after every step the model has the new weights.

    `fit` is a loop around it, so a loop of one's own around it is as fast.

    Args:
        model: The model.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> model = portanet.Sequential([layers.Input((2,)), layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile("sgd", "mse")
        >>> run, totals = TrainingRun(model), model.totals()
        >>> x, y = portanet.asarray(np.ones((4, 2))), portanet.asarray(np.ones((4, 1)))
        >>> for _ in range(2):
        ...     totals.add(run(x, y))
        >>> round(totals.logs()["loss"], 4)
        0.9418
    """

    def __init__(self, model: Trainer) -> None:
        optimizer = model.require_compiled()
        self.model = model
        self.optimizer = optimizer
        self.objective = objective = model.find_objective()
        self.variables = model.named_variables()
        self.trained = model.trainable_paths()
        self.kept = [path for path in self.variables if path not in set(self.trained)]
        # The weights and the optimizer's state are given away: each step replaces them.
        self.step = model.compiled_step(
            ("train", *self.trained), lambda: train_step(model, objective, optimizer), (0, 2)
        )
        known = model.optimizer_state
        if known is None or known[0] != self.trained:
            model.optimizer_state = (self.trained, optimizer.init(self._values(self.trained)))

    def _values(self, paths: list[str]) -> dict[str, Array]:
        return {path: self.variables[path].value for path in paths}

    def take_over_learning_rate(self) -> None:
        """Let a learning rate count that the user has changed on the optimizer, be it to a schedule or from one."""
        _, state = self.model.optimizer_state or ((), {})
        rate = self.optimizer.learning_rate
        if callable(rate):
            state.pop("learning_rate", None)
        elif state:
            dtype = widest(self.model.backend.xp, self._values(self.trained).values())
            state["learning_rate"] = asarray(rate, dtype)

    def finish(self) -> None:
        """Give the model the weights to keep: with `use_ema` of the optimizer, their average."""
        if self.model.optimizer_state is not None:
            found = self.optimizer.finalize(self._values(self.trained), self.model.optimizer_state[1])
            for path, value in found.items():
                self.variables[path].assign(value)

    def __call__(self, x: Any, y: Any, weight: Any = None) -> dict[str, tuple[Array, ...]]:
        """Train on one batch.

        A Ctrl-C waits until the step is done, so that it leaves whole weights; a second one does not wait.

        Args:
            x: Inputs: an array of the model's backend, or a tree of them.
            y: Targets likewise.
            weight: Weights of the examples, or None.

        Returns:
            The batch's statistics, which stay on the device; `model.totals()` adds them up.
        """
        assert self.model.optimizer_state is not None
        targets, weights = self.objective.arrange(y), self.objective.arrange(weight, "sample_weight")
        params, state = self._values(self.trained), self._values(self.kept)
        paths, slots = self.model.optimizer_state
        with uninterrupted():
            params, state, slots, statistics = self.step(params, state, slots, x, targets, weights)
            for values in (params, state):
                for path, value in values.items():
                    self.variables[path].assign(value)
            self.model.optimizer_state = (paths, slots)
        found: dict[str, tuple[Array, ...]] = statistics
        return found
