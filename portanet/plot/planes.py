"""Functions of two numbers, and the paths of optimizers on them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import HostArray
from portanet.drawing import COLOURS, legend, new_axes
from portanet.plot.values import around, host, limits


def contours(
    f: Callable[..., Any],
    xlim: Sequence[float],
    ylim: Sequence[float],
    points: int = 100,
    levels: int = 20,
    log: bool = False,
    ax: Any = None,
) -> Any:
    """Show a function of two numbers by lines of equal value.

    Args:
        f: An elementwise function `f(x, y)` of two arrays of one shape; `numpy.vectorize(f)` makes one of a function of
            two numbers.
        xlim: The lowest and the highest first number.
        ylim: The lowest and the highest second number.
        points: Points along each axis.
        levels: Number of levels.
        log: Whether the levels are close where the function is low: of equal distance on a logarithmic scale, above the
            lowest value.
        ax: The axes; by default those of a new figure.

    Returns:
        The axes.

    Example:
        >>> from portanet import plot
        >>> ax = plot.contours(lambda x, y: x**2 + 10 * y**2, (-1, 1), (-1, 1))
        >>> [float(end) for end in ax.get_xlim()]
        [-1.0, 1.0]
    """
    grid = _grid("plot.contours", f, xlim, ylim, points)
    levels = checks.positive_int("levels", levels, "plot.contours")
    log = checks.boolean("log", log, "plot.contours")
    ax = new_axes(ax, "plot.contours", (5.5, 4.2))
    draw_contours(ax, *grid, levels, log)
    return ax


def surface(
    f: Callable[..., Any],
    xlim: Sequence[float],
    ylim: Sequence[float],
    points: int = 60,
    log: bool = False,
    ax: Any = None,
) -> Any:
    """Show a function of two numbers as a surface in three dimensions.

    Args:
        f: An elementwise function, as for `contours`.
        xlim: The lowest and the highest first number.
        ylim: The lowest and the highest second number.
        points: Points along each axis.
        log: Whether to show the logarithm (base 10) of the values, which must be positive.
        ax: Axes with three dimensions; by default those of a new figure.

    Returns:
        The axes.

    Example:
        >>> from portanet import plot
        >>> plot.surface(lambda x, y: x**2 - y**2, (-1, 1), (-1, 1)).name
        '3d'
    """
    grid = _grid("plot.surface", f, xlim, ylim, points)
    log = checks.boolean("log", log, "plot.surface")
    ax = new_axes(ax, "plot.surface", (6.0, 4.8), "3d")
    draw_surface(ax, *grid, log, "plot.surface")
    return ax


def trajectories(
    f: Callable[..., Any],
    paths: Mapping[str, Any],
    xlim: Sequence[float] | None = None,
    ylim: Sequence[float] | None = None,
    log: bool = True,
    ax: Any = None,
) -> Any:
    """Show the paths of optimizers on the contours of a function of two numbers.

    Args:
        f: An elementwise function, as for `contours`.
        paths: By label, the points of each path in order, shape (points, 2); such as by `optimizers.descend`. A point
            that is not finite ends its path.
        xlim: The lowest and the highest first number; by default a tenth beyond the paths.
        ylim: Likewise for the second.
        log: Whether levels are close where the function is low; see `contours`.
        ax: The axes; by default those of a new figure.

    Returns:
        The axes.

    Example:
        >>> from portanet import optimizers, plot
        >>> bowl = lambda x, y: x**2 + 4 * y**2
        >>> paths = {"SGD": optimizers.descend(bowl, (2.0, 1.0), optimizers.SGD(0.1), steps=20)}
        >>> ax = plot.trajectories(bowl, paths)
        >>> ax.lines[0].get_label(), ax.lines[0].get_xydata()[0].tolist()
        ('SGD', [2.0, 1.0])
    """
    of, expected = "plot.trajectories", "a dict of paths, arrays of shape (points, 2)"
    if not isinstance(paths, Mapping) or not paths:
        raise checks.invalid("paths", paths, expected, of)
    lines = {str(label): host("paths", path, of, expected, 2) for label, path in paths.items()}
    for label, line in lines.items():
        if line.shape[1] != 2 or not len(line):
            raise ValueError(
                f"{checks.argument('paths', of)} must be {expected}, with a point at least. "
                f"Received: {label!r} of shape {line.shape}"
            )
        whole = np.isfinite(line).all(axis=1)
        lines[label] = line[: len(line) if whole.all() else int(np.argmin(whole))]
    together = np.concatenate(list(lines.values()))
    xlim = around(together[:, 0]) if xlim is None else xlim
    ylim = around(together[:, 1]) if ylim is None else ylim
    grid = _grid(of, f, xlim, ylim, 150)
    log = checks.boolean("log", log, of)
    ax = new_axes(ax, of, (6.0, 4.4))
    draw_contours(ax, *grid, 25, log, quiet=True)
    for i, (label, line) in enumerate(lines.items()):
        colour = COLOURS[i % len(COLOURS)]
        marker = "." if len(line) <= 60 else ""
        ax.plot(*line.T, color=colour, label=label, marker=marker, markersize=4, linewidth=1.5)
        if len(line):
            ax.scatter(*line[-1], color=colour, s=45, edgecolors="white", zorder=3)
    starts = np.unique([line[0] for line in lines.values() if len(line)], axis=0)
    if len(starts):
        ax.scatter(*starts.T, color="black", marker="x", s=45, zorder=4)
    ax.set_xlim(*grid[0][[0, -1]])
    ax.set_ylim(*grid[1][[0, -1]])
    legend(ax)
    return ax


def _grid(of: str, f: Any, xlim: Any, ylim: Any, points: int) -> tuple[HostArray, HostArray, HostArray]:
    """Places along both axes, and the function there: one row for each second number."""
    checks.function("f", f, of)
    low, high = limits("xlim", xlim, of), limits("ylim", ylim, of)
    points = checks.integer("points", points, of, least=2)
    x, y = np.linspace(*low, points), np.linspace(*high, points)
    across, up = np.meshgrid(x, y)
    with np.errstate(all="ignore"):
        values = host("f", f(across, up), of, "a function of two arrays that returns numbers")
    if values.shape != across.shape:
        raise ValueError(
            f"{checks.argument('f', of)} must be elementwise; numpy.vectorize(f) makes it so. "
            f"Received: a function that returns shape {values.shape} for arrays of shape {across.shape}"
        )
    return x, y, values


def draw_contours(
    ax: Any, x: HostArray, y: HostArray, values: HostArray, levels: int, log: bool, quiet: bool = False
) -> None:
    """Filled contours with lines; in `quiet` colours below what is drawn on top."""
    finite = values[np.isfinite(values)]
    if not finite.size:
        raise ValueError("The function must be finite somewhere in these limits. Received: only NaN or infinity")
    low, high = float(finite.min()), float(finite.max())
    shares = np.concatenate([[0.0], np.logspace(-4, 0, levels)]) if log else np.linspace(0.0, 1.0, levels + 1)
    heights = low + (high - low) * shares
    if not np.all(np.diff(heights) > 0):  # flat, as far as numbers tell
        low, high = low - 0.5 * max(1.0, abs(low)), high + 0.5 * max(1.0, abs(high))
        heights = low + (high - low) * shares
    heights[-1] = high  # also after rounding
    shown = np.ma.masked_invalid(np.clip(values, low, high))
    from matplotlib.colors import BoundaryNorm

    colours = "Greys" if quiet else "viridis"
    norm = BoundaryNorm(heights, max(256, levels))
    picture = ax.contourf(x, y, shown, heights, cmap=colours, norm=norm, alpha=0.2 if quiet else 1.0)
    ax.contour(x, y, shown, heights, colors="#999999" if quiet else "white", linewidths=0.5, alpha=0.8)
    if not quiet:
        ax.figure.colorbar(picture, ax=ax, format="%.3g", ticks=heights[:: max(1, len(heights) // 6)])


def draw_surface(ax: Any, x: HostArray, y: HostArray, values: HostArray, log: bool, of: str) -> None:
    """A surface in colours of its height."""
    if log:
        least = float(np.min(values, initial=np.inf, where=~np.isnan(values)))
        if not least > 0:
            raise ValueError(
                f"{checks.argument('log', of)} must be False for values of 0 or less. "
                f"Received: log=True and a value of {least:.3g}"
            )
        values = np.log10(values)
    from matplotlib.ticker import MaxNLocator

    across, up = np.meshgrid(x, y)
    shown = np.where(np.isfinite(values), values, np.nan)
    low, high = (np.nanmin(shown), np.nanmax(shown)) if np.isfinite(shown).any() else (0.0, 1.0)
    ax.plot_surface(
        across,
        up,
        shown,
        cmap="viridis",
        vmin=low,
        vmax=high,
        rcount=len(y),
        ccount=len(x),
        linewidth=0,
        antialiased=True,
    )
    for axis in (ax.xaxis, ax.yaxis, ax.zaxis):
        axis.set_major_locator(MaxNLocator(5))
    ax.set_box_aspect(None, zoom=0.88)  # room for the labels
    if log:
        ax.set_zlabel("log10 of the value")
