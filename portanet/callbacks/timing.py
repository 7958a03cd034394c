"""Time of epochs and steps."""

from __future__ import annotations

import time
from typing import Any

from portanet import checks
from portanet.callbacks.base import Callback, Logs
from portanet.callbacks.table import table


class Timing(Callback):
    """Measures the time of each epoch, and the mean time of a training step.

    Both end when the loss is on the host, so the device has finished. The first epoch includes compilation. For the
    time and memory of each layer, see `Profiler`.

    Args:
        verbose: 1 to print the table when training ends.

    Attributes:
        rows: One dict per epoch: `epoch`, from 0; `seconds`, with validation; `steps`; `step_seconds`, without; and
            `memory`, the bytes in use on the device (on the machine, for a CPU) at its end, or None if unknown.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> model = portanet.Sequential([layers.Input((3,)), layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> timing = portanet.callbacks.Timing()
        >>> _ = model.fit(np.ones((8, 3)), np.ones((8, 1)), batch_size=2, epochs=2, verbose=0, callbacks=[timing])
        >>> [row["steps"] for row in timing.rows]
        [4, 4]
    """

    def __init__(self, verbose: int = 0) -> None:
        self.verbose = checks.verbose(verbose, type(self))
        self.on_train_begin()

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.rows: list[dict[str, Any]] = []
        self.steps = 0
        self.before = 0.0
        """Seconds of the current epoch before the run was resumed."""
        self.began: float | None = None
        self.trained: float | None = None

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self.began, self.trained = time.perf_counter(), None

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.steps += 1

    def on_test_begin(self, logs: Logs | None = None) -> None:
        self.trained = self._elapsed()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        seconds = self._elapsed()
        self.rows.append(
            {
                "epoch": epoch,
                "seconds": seconds,
                "steps": self.steps,
                "step_seconds": (seconds if self.trained is None else self.trained) / max(1, self.steps),
                "memory": self.model.backend.memory().get("used"),
            }
        )
        self.steps, self.before, self.began = 0, 0.0, None

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.verbose:
            print(self.table())

    def _elapsed(self) -> float:
        """Seconds of the current epoch."""
        return self.before + (0.0 if self.began is None else time.perf_counter() - self.began)

    def table(self) -> str:
        """The measurements as a table."""
        return table(
            ["epoch", "seconds", "steps", "ms / step", "memory MiB"],
            [
                [
                    row["epoch"] + 1,
                    f"{row['seconds']:.2f}",
                    row["steps"],
                    f"{row['step_seconds'] * 1e3:.3f}",
                    "" if row["memory"] is None else f"{row['memory'] / 2**20:,.0f}",
                ]
                for row in self.rows
            ],
        )

    def get_state(self) -> dict[str, Any]:
        return {"rows": [dict(row) for row in self.rows], "steps": self.steps, "before": self._elapsed()}

    def set_state(self, state: dict[str, Any]) -> None:
        self.rows = [dict(row) for row in state["rows"]]
        self.steps, self.before = state["steps"], state["before"]
