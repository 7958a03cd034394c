"""Weights and outputs of the layers of a model: histograms, means and deviations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from portanet import checks, drawing
from portanet.callbacks import ActivationMonitor
from portanet.callbacks.probe import Statistics, statistics_of
from portanet.drawing import Panels, panels
from portanet.models import Model


def weight_histograms(model: Model, bins: int = 30, axes: Panels = None) -> list[Any]:
    """Show the histogram of each weight of a model.

    Args:
        model: A model that is built.
        bins: Bins of the histograms.
        axes: Axes, one per weight; by default those of a new figure.

    Returns:
        The list of axes.

    Example:
        >>> import portanet
        >>> from portanet import layers, plot
        >>> model = portanet.Sequential([layers.Input((8,)), layers.Dense(4), layers.Dense(2)])
        >>> [ax.get_title() for ax in plot.weight_histograms(model)]
        ['dense/kernel', 'dense/bias', 'dense_1/kernel', 'dense_1/bias']
    """
    of = "plot.weight_histograms"
    bins = checks.positive_int("bins", bins, of)
    weights = set(_model("model", model, of).weights)
    variables = {path: v for path, v in model.named_variables().items() if v in weights}
    if not variables:
        raise ValueError(
            f"{checks.argument('model', of)} must have weights: give it an Input, or call it on data. "
            f"Received: {model!r}"
        )
    return _histograms({path: statistics_of(v.numpy(), bins) for path, v in variables.items()}, axes, of)


def activation_histograms(model: Model, x: Any, bins: int = 30, axes: Panels = None) -> list[Any]:
    """Show the histogram of the outputs of each layer.

    Args:
        model: The model.
        x: A batch of inputs, as for `predict`.
        bins: Bins of the histograms.
        axes: Axes, one per layer; by default those of a new figure.

    Returns:
        The list of axes.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers, plot
        >>> model = portanet.Sequential([layers.Input((8,)), layers.Dense(4), layers.Activation("tanh")])
        >>> [ax.get_title() for ax in plot.activation_histograms(model, np.ones((5, 8)))]
        ['dense', 'activation']
    """
    of = "plot.activation_histograms"
    bins = checks.positive_int("bins", bins, of)
    return _histograms(ActivationMonitor(x, bins=bins).look(_model("model", model, of)), axes, of)


def _histograms(records: Statistics, axes: Panels, of: str) -> list[Any]:
    drawn = panels(len(records), axes, of, size=(2.6, 2.1))
    drawing.histograms(drawn, records)
    return drawn


def activation_spread(
    models: Any, x: Any, statistics: Sequence[str] = ("mean", "std"), axes: Panels = None
) -> list[Any]:
    """Show means, deviations or other statistics of the outputs from layer to layer; one panel per statistic.

    Args:
        models: A model; or a list of models of the same layers, each made after `portanet.random.set_seed` with another
            seed, for a line of their means in a band from the lowest to the highest; or several of these by label.
        x: A batch of inputs, as for `predict`.
        statistics: Names of statistics of `callbacks.ActivationMonitor`.
        axes: Axes, one per statistic; by default those of a new figure.

    Returns:
        The list of axes.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers, plot
        >>> def deep():
        ...     return portanet.Sequential([layers.Input((8,)), layers.Dense(8, "relu"), layers.Dense(8, "relu")])
        >>> axes = plot.activation_spread([deep() for _ in range(3)], np.ones((5, 8)))
        >>> [ax.get_title() for ax in axes], len(axes[0].collections)
        (['mean', 'std'], 1)
    """
    of = "plot.activation_spread"
    known = ("mean", "std", "norm", "largest", "nonfinite", "dead")
    names = [checks.choice("statistics", name, known, of) for name in checks.texts("statistics", statistics, of)]
    named = models if isinstance(models, Mapping) else {"": models}
    groups = {str(k): list(v) if isinstance(v, (list, tuple)) else [v] for k, v in named.items()}
    monitor = ActivationMonitor(x)
    records = {k: [monitor.look(_model("models", model, of)) for model in group] for k, group in groups.items()}
    counts = {len(record) for runs in records.values() for record in runs}
    if len(counts) != 1 or not all(records.values()) or not names:
        raise checks.invalid("models", models, "one or more models with the same number of layers", of)
    (count,) = counts
    paths = list(next(iter(records.values()))[0])
    same = all(list(record) == paths for runs in records.values() for record in runs)
    places: list[Any] = paths if same and count <= 12 else list(range(1, count + 1))
    drawn = panels(len(names), axes, of, size=(4.5, 3.2))
    for ax, name in zip(drawn, names, strict=True):
        lines = {k: np.asarray([[s[name] for s in record.values()] for record in runs]) for k, runs in records.items()}
        drawing.bands(ax, lines, places)
        ax.set_title(name)
        ax.set_xlabel("layer")
        if places is paths:
            ax.tick_params(axis="x", rotation=60)
        else:
            drawing.whole_numbers(ax.xaxis)
    return drawn


def _model(name: str, model: Any, of: str) -> Model:
    if not isinstance(model, Model):
        raise checks.invalid(name, model, "a model", of)
    return model
