"""Curves: of training, of functions of one number, and of several runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from portanet import activations, checks, drawing
from portanet.autodiff import array_namespace, grad
from portanet.backends import asarray
from portanet.drawing import COLOURS, Panels, legend, new_axes, panels
from portanet.plot.values import host, limits

Curves = dict[str, list[list[float]]]


def history(history: Any, names: Iterable[str] | None = None, axes: Panels = None) -> list[Any]:
    """Plot quantities over the epochs, training and validation; one panel per quantity.

    Args:
        history: What `fit` returned, its `history` (a dict of lists), or a model that was trained. Or several of these
            by label, `{"SGD": first, "Adam": second}`, to compare them.
        names: Quantities such as `["loss", "accuracy"]`; by default all that are scalars.
        axes: Axes, one per quantity; by default those of a new figure.

    Returns:
        The list of axes.

    Raises:
        ValueError: There is nothing to plot, or not what `names` asks for.
        ImportError: matplotlib is not installed.

    Example:
        >>> from portanet import plot
        >>> (ax,) = plot.history({"loss": [0.9, 0.5, 0.4], "val_loss": [1.0, 0.7, 0.8]})
        >>> [line.get_label() for line in ax.lines], ax.get_title()
        (['training', 'validation'], 'loss')
    """
    several = isinstance(history, Mapping) and bool(history) and all(map(_is_run, history.values()))
    runs = {str(label): _run(run) for label, run in (history.items() if several else [("", history)])}
    known = [name for run in runs.values() for name in run if not (name.startswith("val_") and name[4:] in run)]
    known = list(dict.fromkeys(known))
    if not known:
        raise ValueError(
            f"{checks.argument('history', 'plot.history')} must have values of at least one epoch: call fit first. "
            f"Received: {history!r}"
        )
    chosen = known if names is None else list(checks.texts("names", names, "plot.history"))
    unknown = [name for name in chosen if not any(name in run or f"val_{name}" in run for run in runs.values())]
    if unknown or not chosen:
        raise ValueError(
            f"{checks.argument('names', 'plot.history')} must be some of {', '.join(map(repr, known))}. "
            f"Received: names={names!r}"
        )
    drawn = panels(len(chosen), axes, "plot.history")
    drawing.history_curves(drawn, chosen, runs)
    return drawn


def _is_run(value: Any) -> bool:
    return isinstance(value, Mapping) or hasattr(value, "history")


def _run(run: Any) -> Curves:
    """The points of each quantity of a run, from any of its forms."""
    record = getattr(run, "history", run)
    if hasattr(record, "history"):  # of a model
        run, record = record, record.history
    if not isinstance(record, Mapping):
        expected = "what fit returned, a dict of lists, or a model that was trained"
        raise checks.invalid("history", run, expected, "plot.history")
    epochs = list(getattr(run, "epoch", ()))
    validated = _validated(epochs, getattr(run, "params", {}).get("validation_freq", 1))
    curves: Curves = {}
    for name, values in record.items():
        if not isinstance(values, Iterable) or isinstance(values, str):
            raise checks.invalid("history", record, "a dict of lists, with a value for each epoch", "plot.history")
        values = list(values)
        if not values or any(np.ndim(value) for value in values):
            continue
        numbers = host("history", values, "plot.history", "a dict of lists of numbers", 1).tolist()
        places = epochs[-len(numbers) :]
        if str(name).startswith("val_") and len(validated) == len(numbers):
            places = validated
        if len(places) < len(numbers):
            places = list(range(len(numbers)))
        curves[str(name)] = [[float(epoch + 1), value] for epoch, value in zip(places, numbers, strict=True)]
    return curves


def _validated(epochs: list[int], frequency: int | Iterable[int]) -> list[int]:
    """The epochs, of those given by their numbers from 0, that `validation_freq` of `fit` chose."""
    if isinstance(frequency, Iterable):
        return [epoch for epoch in epochs if epoch + 1 in frequency]
    return [epoch for epoch in epochs if (epoch + 1) % frequency == 0]


def curves(
    functions: Any,
    xlim: Sequence[float] = (-4.0, 4.0),
    slopes: bool = True,
    columns: int | None = None,
    axes: Panels = None,
) -> list[Any]:
    """Plot functions of one number, such as activations, and their slopes, computed by `portanet.autodiff`.

    Args:
        functions: Names of activations or elementwise functions: one, a list, or a dict with their titles as keys.
        xlim: The lowest and the highest argument.
        slopes: Whether to plot the derivative, too.
        columns: Panels in a row of a new figure.
        axes: Axes, one per function; by default those of a new figure.

    Returns:
        The list of axes.

    Example:
        >>> from portanet import plot
        >>> ax = plot.curves(["relu", "tanh"])[0]
        >>> ax.get_title(), [line.get_label() for line in ax.lines[:2]]
        ('relu', ['value', 'slope'])
    """
    named = _functions(functions)
    low, high = limits("xlim", xlim, "plot.curves")
    slopes = checks.boolean("slopes", slopes, "plot.curves")
    drawn = panels(len(named), axes, "plot.curves", columns, (3.2, 2.6))
    places = np.linspace(low, high, 401)
    for ax, (title, function) in zip(drawn, named.items(), strict=True):
        x = asarray(places)
        value = host("functions", function(x), "plot.curves", "elementwise functions")
        if value.shape != places.shape:
            raise ValueError(
                f"{checks.argument('functions', 'plot.curves')} must be elementwise functions. Received: {title!r}, "
                f"which returns shape {value.shape} for shape {places.shape}"
            )
        ax.plot(places, value, color=COLOURS[0], label="value")
        if slopes:
            ax.plot(places, _slope(function, x), color=COLOURS[1], linestyle="--", label="slope")
        ax.axhline(0, color="#BBBBBB", linewidth=0.8, zorder=0)
        ax.axvline(0, color="#BBBBBB", linewidth=0.8, zorder=0)
        ax.set_title(title)
        ax.set_xlim(low, high)
    if slopes:
        legend(drawn[0])
    return drawn


def _functions(functions: Any) -> dict[str, Callable[..., Any]]:
    expected = "names of activations or elementwise functions: one, a list, or a dict by title"
    if isinstance(functions, str) or callable(functions):
        functions = [functions]
    if isinstance(functions, (list, tuple)):
        functions = {f if isinstance(f, str) else getattr(f, "__name__", type(f).__name__): f for f in functions}
    if not isinstance(functions, Mapping) or not functions or None in functions.values():
        raise checks.invalid("functions", functions, expected, "plot.curves")
    return {str(title): activations.get(f, "functions", "plot.curves") for title, f in functions.items()}


def _slope(function: Callable[..., Any], x: Any) -> Any:
    def total(x: Any) -> Any:
        return array_namespace(x).sum(function(x))

    return host("functions", grad(total)(x), "plot.curves", "elementwise functions")


def bands(lines: Any, x: Any | None = None, ax: Any = None) -> Any:
    """Plot the mean of several runs, such as seeds, as a line in a band from the lowest to the highest.

    Args:
        lines: An array of shape (runs, points), or (points,) for one run; or several by label.
        x: The place of each point: numbers or names; by default 0, 1, 2 and so on.
        ax: The axes; by default those of a new figure.

    Returns:
        The axes.

    Example:
        >>> from portanet import plot
        >>> ax = plot.bands({"relu": [[1.0, 0.5], [3.0, 1.5]], "tanh": [1.0, 1.0]}, x=["first", "second"])
        >>> ax.lines[0].get_ydata().tolist(), len(ax.collections)
        ([2.0, 1.0], 1)
    """
    expected = "arrays of shape (runs, points) or (points,), one or a dict of them"
    named = lines if isinstance(lines, Mapping) else {"": lines}
    values = {str(k): np.atleast_2d(host("lines", v, "plot.bands", expected, (1, 2))) for k, v in named.items()}
    places = (
        None
        if x is None
        else list(x)
        if isinstance(x, (list, tuple, range))
        else host("x", x, "plot.bands", "a list", 1)
    )
    for label, value in values.items():
        count = value.shape[1] if places is None else len(places)
        if not value.size or value.shape[1] != count:
            raise ValueError(
                f"{checks.argument('lines', 'plot.bands')} must have runs, and a point for each of `x`. "
                f"Received: {label!r} of shape {value.shape}" + ("" if places is None else f", and {count} places")
            )
    if not values:
        raise checks.invalid("lines", lines, expected, "plot.bands")
    ax = new_axes(ax, "plot.bands")
    drawing.bands(ax, values, places)
    return ax
