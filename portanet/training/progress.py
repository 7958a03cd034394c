"""What training shows while it runs: a bar on a terminal, a line for each epoch elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any

INTERVAL = 0.2
"""Seconds between two looks at the loss, which asks the device for it."""


class Progress:
    """Shows one epoch (or evaluation) after the other.

    Args:
        verbose: 0 for silence, 1 for a bar, 2 for a line for each epoch, "auto" for a bar on a terminal, else lines.
        epochs: How many there will be.
        steps: Batches in an epoch; None if that is not known.
    """

    def __init__(self, verbose: Any, epochs: int, steps: int | None) -> None:
        if verbose not in ("auto", 0, 1, 2, True, False):
            raise ValueError(f"Argument `verbose` must be 'auto', 0, 1 or 2. Received: verbose={verbose!r}")
        self.mode = int(verbose) if verbose != "auto" else (1 if sys.stderr.isatty() else 2)
        self.epochs = epochs
        self.steps = steps
        self.bar: Any = None
        self.started = self.shown = 0.0

    def start(self, epoch: int, batch: int = 0) -> None:
        """An epoch begins, or goes on with a batch of it."""
        self.started = self.shown = time.perf_counter()
        self.title = f"Epoch {epoch + 1}/{self.epochs}" if self.epochs > 1 or epoch else "Epoch 1/1"
        if self.mode == 1:
            from tqdm import tqdm

            self.bar = tqdm(
                total=self.steps, initial=batch, desc=self.title, unit="batch", leave=True, mininterval=INTERVAL
            )

    def advance(self, totals: Mapping[str, Any]) -> None:
        """A batch is done."""
        if self.bar is None:
            return
        self.bar.update()
        now = time.perf_counter()
        if now - self.shown > INTERVAL:
            self.shown = now
            self.bar.set_postfix_str(describe(totals), refresh=False)

    def finish(self, logs: dict[str, Any]) -> None:
        """The epoch is done; show everything known of it."""
        if self.bar is not None:
            self.bar.set_postfix_str(describe(logs), refresh=True)
            self.bar.close()
            self.bar = None
        elif self.mode == 2:
            seconds = time.perf_counter() - self.started
            print(f"{self.title} - {seconds:.2f}s - {describe(logs, ' - ')}", flush=True)

    def close(self) -> None:
        """Training ends, perhaps early."""
        if self.bar is not None:
            self.bar.close()
            self.bar = None


def describe(logs: Mapping[str, Any], separator: str = ", ") -> str:
    """The numbers among the logs in one line.

    Example:
        >>> describe({"loss": 0.51234, "accuracy": 0.9})
        'loss: 0.5123, accuracy: 0.9000'
    """
    numbers = {name: value for name, value in logs.items() if isinstance(value, float)}
    forms = {name: ".4f" if abs(value) >= 1e-3 or value == 0 else ".3e" for name, value in numbers.items()}
    return separator.join(f"{name}: {value:{forms[name]}}" for name, value in numbers.items())
