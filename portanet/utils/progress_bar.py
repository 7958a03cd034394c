"""A progress bar for loops of one's own."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable
from typing import Any

from portanet import checks

Values = Iterable[tuple[str, Any]] | None


class Progbar:
    """Prints the progress of a loop, with means of values; as in Keras.

    Args:
        target: Number of steps, None if unknown.
        width: Width of the bar, in characters.
        verbose: 0 for no output, 1 for a bar, 2 for a line at the end.
        interval: Least time between two updates of the bar, in seconds.
        stateful_metrics: Names of values of which the latest is shown rather than the mean.
        stateless_metrics: Names of values that are averaged, all others being shown as they are.
        unit_name: What a step is called.

    Example:
        >>> bar = Progbar(4, verbose=2)
        >>> for step in range(4):
        ...     bar.update(step + 1, [("loss", 1.0 - 0.1 * step)])
        4/4 - ...s - loss: 0.8500
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        self.target = None if target is None else checks.integer("target", target, type(self), least=0)
        self.width = checks.positive_int("width", width, type(self))
        self.verbose = checks.integer("verbose", verbose, type(self), least=0)
        self.interval = checks.non_negative("interval", interval, type(self))
        self.stateful_metrics = set(stateful_metrics or ())
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self.unit_name = checks.text("unit_name", unit_name, type(self))
        self._sums: dict[str, tuple[float, float]] = {}
        self._seen = 0
        self._start = time.monotonic()
        self._shown = 0.0

    def update(self, current: int, values: Values = None, finalize: bool | None = None) -> None:
        """Show a step.

        Args:
            current: Number of steps done.
            values: Pairs of name and value of the last step.
            finalize: Whether this is the last; by default once `current` is at least `target`.
        """
        finalize = (self.target is not None and current >= self.target) if finalize is None else finalize
        for name, value in values or ():
            self._add(name, float(value), max(current - self._seen, 1 if finalize else 0))
        self._seen = current
        now = time.monotonic()
        if self.verbose == 1 and (finalize or now - self._shown >= self.interval):
            self._shown = now
            sys.stdout.write(f"\r{self._text(current, self._bar(current))}" + ("\n" if finalize else ""))
            sys.stdout.flush()
        elif self.verbose == 2 and finalize:
            sys.stdout.write(f"{self._text(current, '')}\n")

    def add(self, n: int, values: Values = None) -> None:
        """Show `n` more steps."""
        self.update(self._seen + n, values)

    def _add(self, name: str, value: float, weight: int) -> None:
        latest = name in self.stateful_metrics
        if latest or (self.stateless_metrics is not None and name not in self.stateless_metrics):
            self._sums[name] = value, 1.0
        else:
            total, count = self._sums.get(name, (0.0, 0.0))
            self._sums[name] = total + value * weight, count + weight

    def _bar(self, current: int) -> str:
        if not self.target:
            return ""
        done = min(self.width, self.width * current // self.target)
        return f" [{'=' * done}{'.' * (self.width - done)}]"

    def _text(self, current: int, bar: str) -> str:
        total = "" if self.target is None else f"/{self.target}"
        means = (f"{name}: {total / max(count, 1):.4f}" for name, (total, count) in self._sums.items())
        return " - ".join([f"{current}{total}{bar}", f"{time.monotonic() - self._start:.0f}s", *means])
