"""What `fit` returns."""

from __future__ import annotations

from typing import Any


class History:
    """The record of a training run.

    Attributes:
        epoch: Numbers of the epochs that were finished.
        history: For each quantity (`loss`, metrics, `val_...`) its value after each epoch.
        params: How the run was asked for: epochs, steps, batch_size.
    """

    def __init__(self, params: dict[str, Any]) -> None:
        self.params = params
        self.epoch: list[int] = []
        self.history: dict[str, list[Any]] = {}

    def append(self, epoch: int, logs: dict[str, Any]) -> None:
        """Add an epoch."""
        self.epoch.append(epoch)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)
