"""Curves over epochs, steps or layers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from portanet.drawing.figures import COLOURS, legend, whole_numbers

Curve = Sequence[Sequence[float]]
"""The epoch, from 1, and the value of each point."""


def history_curves(axes: Sequence[Any], names: Sequence[str], runs: Mapping[str, Mapping[str, Curve]]) -> None:
    """Draw quantities over the epochs: training and validation.

    Args:
        axes: A panel for each quantity.
        names: The quantities.
        runs: For each run, by its label, the curves of quantities; that of validation is `val_` and the quantity.
    """
    for ax, name in zip(axes, names, strict=True):
        for i, (label, curves) in enumerate(runs.items()):
            for validation, key in enumerate((name, f"val_{name}")):
                if key not in curves:
                    continue
                kind = "validation" if validation else "training"
                colour = COLOURS[(validation if len(runs) == 1 else i) % len(COLOURS)]
                x, y = np.asarray(curves[key], dtype="float64").reshape(-1, 2).T
                own = kind if len(runs) == 1 else label if not validation or name not in curves else None
                ax.plot(
                    x,
                    y,
                    label=own,
                    color=colour,
                    linestyle="--" if validation else "-",
                    marker="." if len(x) <= 30 else "",
                )
        if len(runs) > 1 and any(f"val_{name}" in curves for curves in runs.values()):
            ax.plot([], [], color="#777777", linestyle="--", label="validation")
        ax.set_title(name)
        ax.set_xlabel("epoch")
        whole_numbers(ax.xaxis)
        legend(ax)


def bands(ax: Any, lines: Mapping[str, Any], x: Any = None) -> None:
    """Draw the mean of several runs as a line, in a band from the lowest to the highest.

    Args:
        ax: The axes.
        lines: For each line, by its label, an array of shape (runs, points).
        x: The place of each point: numbers or names.
    """
    for i, (label, values) in enumerate(lines.items()):
        colour = COLOURS[i % len(COLOURS)]
        places = list(range(values.shape[1])) if x is None else x
        ax.plot(places, values.mean(axis=0), label=label, color=colour, marker="." if values.shape[1] <= 30 else "")
        if values.shape[0] > 1:
            ax.fill_between(places, values.min(axis=0), values.max(axis=0), color=colour, alpha=0.2, linewidth=0)
    if len(lines) > 1:
        legend(ax)
