"""Early stopping."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.backends import HostArray
from portanet.callbacks.base import Logs
from portanet.callbacks.monitor import Monitor


class EarlyStopping(Monitor):
    """Ends training when a quantity has stopped improving; as `keras.callbacks.EarlyStopping`.

    NaN never improves, and any other value improves on it.

    Args:
        monitor: Name of the quantity.
        min_delta: Smallest change that qualifies as an improvement, exclusive.
        patience: Number of epochs without improvement after which training ends.
        verbose: 1 to print messages.
        mode: `"min"`, `"max"`, or `"auto"` to infer it from the loss or metric.
        baseline: A value that must be improved on within `patience` epochs.
        restore_best_weights: Whether to restore the weights of the best epoch when training ends, by this callback or
            otherwise. They are copied to the host at each improvement.
        start_from_epoch: Number of initial epochs that are not monitored.

    Attributes:
        best: The best value so far.
        best_epoch: The epoch of the best value, from 0.
        stopped_epoch: The epoch after which this callback ended training; 0 if it did not.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> model = portanet.Sequential([layers.Input((3,)), layers.Dense(1)])
        >>> model.compile(portanet.optimizers.SGD(0.0), "mse")
        >>> stop = portanet.callbacks.EarlyStopping("loss", patience=3)
        >>> history = model.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=10, verbose=0, callbacks=[stop])
        >>> len(history.epoch), stop.best_epoch
        (4, 0)
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        min_delta: float = 0.0,
        patience: int = 0,
        verbose: int = 0,
        mode: str = "auto",
        baseline: float | None = None,
        restore_best_weights: bool = False,
        start_from_epoch: int = 0,
    ) -> None:
        super().__init__(monitor, mode, min_delta)
        self.patience = checks.integer("patience", patience, type(self), least=0)
        self.verbose = checks.verbose(verbose, type(self))
        nan = isinstance(baseline, float) and baseline != baseline  # as None, it is always improved on
        self.baseline = (
            baseline if baseline is None or nan else checks.number("baseline", baseline, "[-inf, inf]", type(self))
        )
        self.restore_best_weights = checks.boolean("restore_best_weights", restore_best_weights, type(self))
        self.start_from_epoch = checks.integer("start_from_epoch", start_from_epoch, type(self), least=0)
        self._reset()

    def _reset(self) -> None:
        self.wait = self.stopped_epoch = self.best_epoch = 0
        self.best: float | None = None
        self.best_weights: list[HostArray] | None = None

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self._reset()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        value = self.get_monitor_value(logs)
        if value is None or epoch < self.start_from_epoch:
            return
        improved = self.improves(value, self.best)
        self.wait += 1
        if improved:
            self.best, self.best_epoch = value, epoch
            if self.restore_best_weights:
                self.best_weights = self.model.get_weights()
            if self.improves(value, self.baseline):
                self.wait = 0
        elif self.wait >= self.patience and epoch > 0:
            self.stopped_epoch = epoch
            self.model.stop_training = True

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.stopped_epoch and self.verbose:
            print(f"Epoch {self.stopped_epoch + 1}: early stopping")
        if self.best_weights is not None:
            if self.verbose:
                print(f"Restoring the weights of the best epoch: {self.best_epoch + 1}")
            self.model.set_weights(self.best_weights)

    def get_state(self) -> dict[str, Any]:
        names = ("wait", "stopped_epoch", "best", "best_epoch", "best_weights")
        return {name: getattr(self, name) for name in names}

    def set_state(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        if self.stopped_epoch:
            self.model.stop_training = True
