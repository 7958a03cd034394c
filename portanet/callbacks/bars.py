"""A bar that moves while something runs, on a terminal or in a notebook."""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Iterable
from typing import Any

INTERVAL = 0.2
"""Seconds between two updates; nothing is shown of what takes less."""

BAR = "{desc} {percentage:3.0f}%|{bar:10}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]"
COUNT = "{desc} {n_fmt} [{elapsed}{postfix}]"


class Bar:
    """A bar of tqdm. On a terminal it is on standard error; in a notebook it is one output, which is replaced.

    Widgets are no use in a notebook: a file keeps the text that they had at first.

    Args:
        title: What runs.
        total: Number of steps; None if unknown.
        done: Number of steps that are done.
    """

    def __init__(self, title: str, total: int | None, done: int = 0) -> None:
        import tqdm

        self.output: Any = None
        sink = {"file": io.StringIO(), "ncols": 100} if in_notebook() else {"dynamic_ncols": True}
        self.bar = tqdm.tqdm(
            total=total,
            initial=done,
            desc=title,
            bar_format=COUNT if total is None else BAR,
            leave=False,
            mininterval=INTERVAL,
            miniters=1,
            delay=INTERVAL,
            **sink,
        )
        self.in_notebook = "file" in sink

    def advance(self) -> None:
        """Count a step."""
        self.bar.update()

    def show(self, numbers: Iterable[str]) -> None:
        """Show, from the next step on, those numbers for which there is room, the first ones: whole, or not at all."""
        self.bar.set_postfix_str("", refresh=False)
        shown, room = "", (self.bar.format_dict["ncols"] or sys.maxsize) - len(str(self.bar)) - 2
        for number in numbers:
            longer = f"{shown}, {number}" if shown else number
            if len(longer) > room:
                break
            shown = longer
        self.bar.set_postfix_str(shown, refresh=False)
        if self.in_notebook:
            self._replace(str(self.bar))

    def close(self, finished: bool) -> None:
        """Take the bar away; if its work is not finished, it stays, as far as it is."""
        self.bar.leave = not finished
        if self.in_notebook and (self.output is not None or not finished):
            self._replace("" if finished else str(self.bar))
        self.bar.close()

    def _replace(self, text: str) -> None:
        data = {"text/plain": text}
        if self.output is None:
            display = importlib.import_module("IPython.display").display
            self.output = display(data, raw=True, display_id=True)
        else:
            self.output.update(data, raw=True)


def in_notebook() -> bool:
    """Whether this is a notebook."""
    shell = sys.modules.get("IPython")
    kinds = () if shell is None else type(shell.get_ipython()).__mro__
    return any(kind.__name__ == "ZMQInteractiveShell" for kind in kinds)
