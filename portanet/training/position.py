"""Where training stands: all that a resumed run needs beside weights, optimizer state and random counters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass
class Position:
    """Where training stands. Shuffling depends on the seed and the epoch alone, so that these numbers say the rest.

    `fit(..., initial_epoch=position)` goes on from a position, such as that of a model that was loaded.

    Attributes:
        epoch: Number of the epoch under way, from 0.
        batch: Batches of it that are done.
        sums: Sums of the loss and metrics over these batches, by name; see `Totals`.
        epochs: Numbers of the epochs that are finished.
        history: Loss, metrics and `val_...` after each of them.
        seed: The seed of the run, see `portanet.random`; None before it began.
        callbacks: In a position that was saved, what the callbacks of the run knew; see `CallbackList.get_states`.
    """

    epoch: int = 0
    batch: int = 0
    sums: dict[str, list[Any]] = field(default_factory=dict)
    epochs: list[int] = field(default_factory=list)
    history: dict[str, list[Any]] = field(default_factory=dict)
    seed: int | None = None
    callbacks: list[Any] = field(default_factory=list)

    def finish_epoch(self, logs: dict[str, Any]) -> None:
        """Note what an epoch gave, and go on to the next."""
        self.epochs.append(self.epoch)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)
        self.epoch += 1
        self.batch, self.sums = 0, {}
