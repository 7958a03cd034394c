"""The record of training, as a callback."""

from __future__ import annotations

from typing import Any

from portanet.callbacks.base import Callback, Logs
from portanet.callbacks.progress import numbers


class History(Callback):
    """Records the loss and the metrics of each epoch; as `keras.callbacks.History`. `fit` returns the same.

    Attributes:
        epoch: Numbers of the finished epochs.
        history: For each quantity (`loss`, metrics, `val_...`) its value after each epoch.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> model = portanet.Sequential([layers.Input((3,)), layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile(portanet.optimizers.SGD(0.0), "mse")
        >>> record = portanet.callbacks.History()
        >>> _ = model.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=2, verbose=0, callbacks=[record])
        >>> record.epoch, record.history
        ([0, 1], {'loss': [1.0, 1.0]})
    """

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = {}

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.epoch = []

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        self.epoch.append(epoch)
        for name, value in (logs or {}).items():
            self.history.setdefault(name, []).append(value)

    def __repr__(self) -> str:
        return described(self.epoch, self.history, None)

    def get_state(self) -> dict[str, Any]:
        return {"epoch": list(self.epoch), "history": {name: list(column) for name, column in self.history.items()}}

    def set_state(self, state: dict[str, Any]) -> None:
        self.epoch, self.history = state["epoch"], state["history"]


def described(epochs: list[int], history: dict[str, list[Any]], seconds: float | None) -> str:
    """A record in one line: the number of epochs, the time, and what the last epoch gave.

    Example:
        >>> described([0, 1], {"loss": [0.5, 0.25], "accuracy": [0.75, 1.0]}, 1.5)
        '<History of 2 epochs in 1.50 s, loss: 0.2500, accuracy: 1.0000>'
    """
    time = "" if seconds is None else f" in {seconds:.2f} s"
    title = f"History of {len(epochs)} epoch{'s' * (len(epochs) != 1)}{time}"
    latest = numbers({name: column[-1] for name, column in history.items() if column})
    return f"<{', '.join([title, *latest])}>"
