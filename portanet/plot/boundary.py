"""What a classifier says of the points of a plane."""

from __future__ import annotations

from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import HostArray, asarray, to_host
from portanet.drawing import COLOURS, legend, new_axes
from portanet.models import Model
from portanet.plot.values import around, classes_of, host

MARKERS = "osD^vPX*"
OF = "plot.decision_boundary"


def decision_boundary(
    model: Any,
    x: Any,
    y: Any | None = None,
    probability: bool = False,
    resolution: int = 200,
    threshold: float = 0.5,
    ax: Any = None,
) -> Any:
    """Show which class a model predicts where, for inputs of two numbers, with the examples on top.

    Args:
        model: A model or an estimator of scikit-learn, which has `predict`, or a function of points of shape (n, 2).
            One output per point is that of the second class, to be compared with `threshold`; of several, the largest
            is the class. Estimators with `predict_proba` are asked for it.
        x: The examples, shape (n, 2); the picture goes a tenth beyond them.
        y: Their classes: numbers or names, shape (n,) or (n, 1), or one-hot rows.
        probability: Whether to mix the colours of the classes by their probabilities.
        resolution: Points along each axis at which the model is asked.
        threshold: The value above which one output means the second class; 0 for logits and margins.
        ax: The axes; by default those of a new figure.

    Returns:
        The axes.

    Example:
        >>> import numpy as np
        >>> from portanet import plot
        >>> x = np.asarray([[0.0, 0.0], [1.0, 1.0]])
        >>> ax = plot.decision_boundary(lambda points: points[:, 0] + points[:, 1] - 1, x, [0, 1], threshold=0)
        >>> [label.get_text() for label in ax.get_legend().get_texts()]
        ['0', '1']
    """
    points = host("x", x, OF, "an array of shape (examples, 2)", 2)
    if points.shape[1] != 2 or not len(points):
        raise ValueError(
            f"{checks.argument('x', OF)} must be an array of shape (examples, 2), with an example at least; draw two "
            f"features, or a projection on two axes. Received: an array of shape {points.shape}"
        )
    if not (hasattr(model, "predict") or callable(model)):
        raise checks.invalid("model", model, "a model, or a function of points of shape (n, 2)", OF)
    probability = checks.boolean("probability", probability, OF)
    resolution = checks.integer("resolution", resolution, OF, least=2)
    threshold = checks.number("threshold", threshold, of=OF)
    classes = None if y is None else classes_of("y", y, OF)
    if classes is not None and len(classes) != len(points):
        raise ValueError(
            f"{checks.argument('y', OF)} must have a class for each of {len(points)} examples. Received: {len(classes)}"
        )
    xlim, ylim = around(points[:, 0]), around(points[:, 1])
    across, up = np.linspace(*xlim, resolution), np.linspace(*ylim, resolution)
    grid = np.stack([part.ravel() for part in np.meshgrid(across, up)], axis=1)
    shares, names = _shares(model, grid, classes, threshold, probability)
    ax = new_axes(ax, OF, (5.0, 4.2))
    _shade(ax, shares.reshape(resolution, resolution, -1), across, up, probability)
    if classes is None:
        ax.scatter(*points.T, s=18, color="#333333", edgecolors="white", linewidths=0.6)
    for i, name in enumerate(names if classes is not None else []):
        ax.scatter(
            *points[classes == name].T,
            s=22,
            color=COLOURS[i % len(COLOURS)],
            marker=MARKERS[i % len(MARKERS)],
            edgecolors="white",
            linewidths=0.6,
            label=str(name),
        )
    ax.set_xlim(*xlim)
    ax.set_ylim(*ylim)
    legend(ax)
    return ax


def _shares(
    model: Any, grid: HostArray, classes: HostArray | None, threshold: float, probability: bool
) -> tuple[HostArray, list[Any]]:
    """The share of each class at each point, and the names of the classes."""
    names = [] if classes is None else np.unique(classes).tolist()
    outputs = _outputs(model, grid)
    if hasattr(model, "predict_proba"):
        names = list(getattr(model, "classes_", names))
    elif outputs.dtype.kind not in "f":
        known = np.unique(np.concatenate([outputs.ravel(), np.asarray(names, dtype=outputs.dtype)]))
        return (outputs.reshape(-1, 1) == known).astype("float64"), known.tolist()
    outputs = outputs.reshape(len(grid), -1).astype("float64")
    if outputs.shape[1] == 1:
        second = outputs if probability else (outputs > threshold).astype("float64")
        second = np.where(np.isnan(outputs), np.nan, second)
        outputs = np.concatenate([1 - second, second], axis=1)
    if probability and np.any((outputs < -1e-6) | (outputs > 1 + 1e-6)):
        raise ValueError(
            f"{checks.argument('model', OF)} must return probabilities for probability=True: end it with sigmoid or "
            f"softmax. Received: outputs from {np.nanmin(outputs):.3g} to {np.nanmax(outputs):.3g}"
        )
    count = outputs.shape[1]
    if not probability:
        outputs = np.where(np.isnan(outputs), np.nan, np.eye(count)[np.argmax(outputs, axis=1)])
    by_place = all(isinstance(name, int) and 0 <= name < count for name in names)
    if by_place or not names:
        names = list(range(count))
    if len(names) > count:
        raise ValueError(
            f"{checks.argument('y', OF)} must have the classes of the model's {count} outputs. "
            f"Received: {len(names)} classes"
        )
    return outputs, names


def _outputs(model: Any, grid: HostArray) -> HostArray:
    if isinstance(model, Model):
        outputs = model.predict(grid, batch_size=4096)
    elif hasattr(model, "predict"):
        outputs = model.predict_proba(grid) if hasattr(model, "predict_proba") else model.predict(grid)
    else:
        outputs = model(asarray(grid))
    host_outputs = to_host(outputs)
    if host_outputs.shape[:1] != (len(grid),) or host_outputs.ndim > 2 or host_outputs.dtype.kind not in "biufSUO":
        raise ValueError(
            f"{checks.argument('model', OF)} must return one row per point, shape ({len(grid)},) or "
            f"({len(grid)}, classes). Received: outputs of shape {host_outputs.shape}"
        )
    return host_outputs


def _shade(ax: Any, shares: HostArray, across: HostArray, up: HostArray, probability: bool) -> None:
    """Mix light versions of the classes' colours, and draw the boundaries."""
    from matplotlib.colors import to_rgb

    colours = np.asarray([to_rgb(COLOURS[i % len(COLOURS)]) for i in range(shares.shape[2])])
    weights = np.clip(shares, 0.0, 1.0)
    mixed = 1 - 0.3 * (1 - np.nan_to_num(weights @ colours, nan=1.0))
    step_x, step_y = (across[1] - across[0]) / 2, (up[1] - up[0]) / 2
    extent = (across[0] - step_x, across[-1] + step_x, up[0] - step_y, up[-1] + step_y)
    ax.imshow(np.clip(mixed, 0, 1), extent=extent, origin="lower", aspect="auto", interpolation="nearest", zorder=0)
    largest = np.argmax(np.nan_to_num(shares), axis=2)
    for i in range(shares.shape[2] if shares.shape[2] > 2 else 1):
        two = probability and shares.shape[2] == 2
        edge = shares[:, :, 0] - 0.5 if two else np.where(largest == i, 1.0, -1.0)
        if np.any(edge < 0) and np.any(edge > 0):
            ax.contour(across, up, edge, levels=[0.0], colors="#333333", linewidths=1.0)
