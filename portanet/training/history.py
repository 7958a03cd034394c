"""What `fit` returns."""

from __future__ import annotations

from typing import Any

from portanet.training.position import Position


class History:
    """The record of a training run, of which `position` is where it ended.

    Attributes:
        epoch: Numbers of the epochs that were finished.
        history: For each quantity (`loss`, metrics, `val_...`) its value after each epoch.
        params: How the run was asked for: epochs, steps, batch_size, verbose.
    """

    def __init__(self, params: dict[str, Any], position: Position) -> None:
        self.params = params
        self.epoch = position.epochs
        self.history = position.history
