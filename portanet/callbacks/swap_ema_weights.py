"""Evaluation with averaged weights."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.callbacks.base import Callback, Logs


class SwapEMAWeights(Callback):
    """Evaluates with the moving averages of the weights; as `keras.callbacks.SwapEMAWeights`.

    For optimizers with `use_ema=True`: before an evaluation or prediction, weights and averages change places, and
    afterwards they change back.

    Args:
        swap_on_epoch: Whether they also change at the end of an epoch, for the callbacks that follow, such as a
            `ModelCheckpoint`, and back when the next begins.

    Raises:
        ValueError: The optimizer keeps no averages.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> model = portanet.Sequential([layers.Input((3,)), layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile(portanet.optimizers.SGD(0.1, use_ema=True), "mse")
        >>> x, y = np.ones((8, 3)), np.ones((8, 1))
        >>> swap = portanet.callbacks.SwapEMAWeights()
        >>> record = model.fit(x, y, validation_data=(x, y), verbose=0, callbacks=[swap])
        >>> record.history["val_loss"] == [model.evaluate(x, y, verbose=0)]
        True
    """

    def __init__(self, swap_on_epoch: bool = False) -> None:
        self.swap_on_epoch = checks.boolean("swap_on_epoch", swap_on_epoch, type(self))
        self.swapped = False

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self._swap(False)

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.swap_on_epoch:
            self._swap(True)

    def on_train_end(self, logs: Logs | None = None) -> None:
        weights = self.model.position.weights
        if self.swapped and weights:  # the end of training took the one for the other
            variables, trees = self.model.named_variables(), self._averages()
            for path, average in weights.items():
                variable = variables[path]
                weights[path] = variable.numpy()
                for averages in trees:
                    if path in averages:
                        averages[path] = variable.backend.from_host(average)
                variable.assign(variable.backend.from_host(average))
            self.swapped = False
        self._swap(False)

    def on_test_begin(self, logs: Logs | None = None) -> None:
        self._swap(True)

    def on_test_end(self, logs: Logs | None = None) -> None:
        self._swap(False)

    def on_predict_begin(self, logs: Logs | None = None) -> None:
        self._swap(True)

    def on_predict_end(self, logs: Logs | None = None) -> None:
        self._swap(False)

    def get_state(self) -> dict[str, Any]:
        return {"swapped": self.swapped}

    def set_state(self, state: dict[str, Any]) -> None:
        self.swapped = state["swapped"]

    def _swap(self, wanted: bool) -> None:
        """Let the model have its averages, or its weights."""
        if wanted == self.swapped:
            return
        optimizer = self.model.require_compiled()
        if not any(_is_average(entry) for entry in optimizer.entries):
            raise ValueError(
                "SwapEMAWeights needs an optimizer that keeps averages: set use_ema=True. "
                f"Received: optimizer '{optimizer.name}'"
            )
        variables = self.model.named_variables()
        for averages in self._averages():
            for path, average in averages.items():
                averages[path] = variables[path].value
                variables[path].assign(average)
        self.swapped = wanted

    def _averages(self) -> list[dict[str, Any]]:
        """The averages in the optimizer's state, by path."""
        _, state = self.model.optimizer_state or ([], {})
        return [averages for entry, averages in state.items() if _is_average(entry)]


def _is_average(entry: str) -> bool:
    """Whether an entry of an optimizer's state holds averages of weights."""
    return entry.rpartition("/")[2] == "average"
