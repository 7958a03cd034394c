"""Matplotlib figures: made when needed, shown where a reader expects it, and without a display elsewhere."""

from __future__ import annotations

import builtins
import math
import sys
from typing import Any

from portanet import checks
from portanet.extras import install_command

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#5F5F5F", "#000000")
"""Colours that colour-blind readers tell apart (Okabe and Ito 2008)."""
Panels = Any
"""Matplotlib axes: one, a list or an array of them; or None for those of a new figure."""


def figure_class() -> Any:
    """Matplotlib's class of figures, which needs no window."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(f"Drawing needs matplotlib. Type: {install_command('plot')}") from error
    return Figure


def new_figure(width: float, height: float) -> Any:
    """A figure: pyplot's where pyplot is in use, so that notebooks and `pyplot.show()` show it, else a plain one.

    Pyplot keeps every figure until it is closed, which is a leak in a script that only saves them.
    """
    figure = figure_class()
    interactive = hasattr(sys, "ps1") or hasattr(builtins, "__IPYTHON__")
    if interactive or "matplotlib.pyplot" in sys.modules:
        from matplotlib import pyplot

        return pyplot.figure(figsize=(width, height), layout="constrained")
    return figure(figsize=(width, height), layout="constrained")


def new_axes(ax: Any, of: str, size: tuple[float, float] = (6.0, 4.0), projection: str | None = None) -> Any:
    """The given axes, or those of a new figure.

    Args:
        ax: Axes, or None.
        of: The function that draws, for errors.
        size: Width and height of a new figure, in inches.
        projection: `"3d"` for axes with three dimensions.
    """
    if ax is None:
        return new_figure(*size).add_subplot(projection=projection)
    if not is_axes(ax):
        raise checks.invalid("ax", ax, "matplotlib axes, such as those of `pyplot.subplots()`", of)
    if (getattr(ax, "name", None) == "3d") != (projection == "3d"):
        wanted = "axes with three dimensions, such as those of `figure.add_subplot(projection='3d')`"
        raise checks.invalid("ax", ax, wanted if projection else "axes with two dimensions", of)
    return ax


def is_axes(ax: Any) -> bool:
    """Whether an object draws lines as matplotlib's axes do."""
    return hasattr(ax, "plot") and hasattr(ax, "set_xlabel")


def panels(
    count: int, axes: Panels, of: str, columns: int | None = None, size: tuple[float, float] = (4.0, 3.2)
) -> list[Any]:
    """The given axes, which must be so many, or those of a new figure, in rows.

    Args:
        count: Number of panels.
        axes: Axes: one, a list, or an array of them; or None.
        of: The function that draws, for errors.
        columns: Panels in a row of a new figure; by default 4, fewer where that fills the rows better.
        size: Width and height of a panel, in inches.
    """
    if axes is not None:
        given = (
            list(axes.ravel()) if hasattr(axes, "ravel") else list(axes) if isinstance(axes, (list, tuple)) else [axes]
        )
        if len(given) != count or not all(map(is_axes, given)):
            raise checks.invalid(
                "axes", axes, f"{count} matplotlib axes, such as those of `pyplot.subplots(1, {count})`", of
            )
        return given
    wide = balanced(count) if columns is None else min(checks.positive_int("columns", columns, of), max(count, 1))
    rows = -(-count // wide)
    figure = new_figure(size[0] * wide, size[1] * rows)
    return [figure.add_subplot(rows, wide, i + 1) for i in range(count)]


def balanced(count: int, most: int = 4) -> int:
    """Panels in a row, such that the last row is as full as can be: 5 panels are 3 and 2."""
    return math.ceil(count / math.ceil(count / most)) if count else 1


def whole_numbers(axis: Any) -> None:
    """Give an axis of numbers of epochs or steps whole numbers as ticks."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))


def legend(ax: Any) -> None:
    """A legend, where there is anything to tell apart."""
    handles, _ = ax.get_legend_handles_labels()
    if handles:
        ax.legend(framealpha=0.85, edgecolor="none")
