"""Pictures of arrays: images, confusion matrices, attention, gates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from portanet import checks
from portanet.drawing import COLOURS, Panels, new_axes, panels, whole_numbers
from portanet.plot.values import classes_of, host, names_of


def images(
    images: Any, titles: Sequence[Any] | None = None, columns: int | None = None, axes: Panels = None
) -> list[Any]:
    """Show images in a grid; grey ones share one scale from black to white.

    Args:
        images: Shape (count, height, width), with a last axis of 1 (grey) or 3 (colours), or one image of shape
            (height, width). Colours are integers from 0 to 255, or floats from 0 to 1.
        titles: What stands above each image.
        columns: Images in a row of a new figure.
        axes: Axes, one per image; by default those of a new figure.

    Returns:
        The list of axes.

    Example:
        >>> import numpy as np
        >>> from portanet import plot
        >>> axes = plot.images(np.zeros((6, 8, 8)), titles=range(6), columns=3)
        >>> len(axes), axes[5].get_title()
        (6, '5')
    """
    expected = "an array of shape (count, height, width), or with a last axis of 1 or 3 channels"
    pixels = host("images", images, "plot.images", expected, (2, 3, 4))
    pixels = pixels[None] if pixels.ndim == 2 else pixels
    if pixels.ndim == 4 and pixels.shape[-1] == 1:
        pixels = pixels[..., 0]
    if 0 in pixels.shape or (pixels.ndim == 4 and pixels.shape[-1] != 3):
        raise ValueError(
            f"{checks.argument('images', 'plot.images')} must be {expected}, and not empty. "
            f"Received: an array of shape {pixels.shape}"
        )
    named = [""] * len(pixels) if titles is None else names_of("titles", titles, "plot.images", len(pixels))
    wide = min(len(pixels), 10) if columns is None else columns
    drawn = panels(len(pixels), axes, "plot.images", wide, (1.2, 1.4 if titles is not None else 1.2))
    finite = pixels[np.isfinite(pixels)]
    low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 1.0)
    if pixels.ndim == 4:
        pixels = np.clip(pixels / 255.0 if high > 1 else pixels, 0.0, 1.0)
    for ax, image, title in zip(drawn, pixels, named, strict=True):
        ax.imshow(image, cmap="gray", vmin=low, vmax=high)
        ax.set_title(title, fontsize="small")
        ax.set_xticks([])
        ax.set_yticks([])
    return drawn


def confusion_matrix(
    labels: Any, predictions: Any, names: Sequence[Any] | None = None, normalize: bool = False, ax: Any = None
) -> Any:
    """Show how many examples of each class are predicted as which.

    Args:
        labels: The class of each example: numbers or names, or one-hot rows.
        predictions: What was predicted: likewise, or rows of probabilities.
        names: Names of the classes, in order.
        normalize: Whether to show fractions of each class instead of counts.
        ax: The axes; by default those of a new figure.

    Returns:
        The axes.

    Example:
        >>> from portanet import plot
        >>> ax = plot.confusion_matrix([0, 0, 1], [[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]], names=["no", "yes"])
        >>> [text.get_text() for text in ax.texts]
        ['1', '1', '0', '1']
    """
    of = "plot.confusion_matrix"
    normalize = checks.boolean("normalize", normalize, of)
    true, predicted = classes_of("labels", labels, of), classes_of("predictions", predictions, of)
    if true.shape != predicted.shape or not true.size:
        raise ValueError(
            f"{checks.argument('predictions', of)} must be as many as `labels`, and at least one. "
            f"Received: {predicted.size} predictions and {true.size} labels"
        )
    classes = np.unique(np.concatenate([true, predicted]))
    if names is not None and classes.dtype.kind in "iu" and classes.min() >= 0:
        shown = names_of("names", names, of, max(len(names_of("names", names, of)), int(classes.max()) + 1))
        classes = np.arange(len(shown))  # of which some may have no example
    shown = [str(c) for c in classes] if names is None else names_of("names", names, of, len(classes))
    counts = np.zeros((len(classes), len(classes)))
    np.add.at(counts, (np.searchsorted(classes, true), np.searchsorted(classes, predicted)), 1)
    if normalize:
        counts /= np.maximum(counts.sum(axis=1, keepdims=True), 1)
    size = min(2.5 + 0.45 * len(classes), 12.0)
    ax = new_axes(ax, of, (size, size))
    ax.imshow(counts, cmap="Blues", vmin=0)
    for (i, j), value in np.ndenumerate(counts):
        colour = "white" if value > counts.max() / 2 else "black" if value else "#AAAAAA"
        ax.text(j, i, f"{value:.2f}" if normalize else f"{value:.0f}", ha="center", va="center", color=colour)
    ax.set_xticks(range(len(classes)), shown, rotation=90 if max(map(len, shown)) > 3 else 0)
    ax.set_yticks(range(len(classes)), shown)
    ax.set_xlabel("predicted")
    ax.set_ylabel("label")
    return ax


def attention(
    weights: Any, queries: Sequence[Any] | None = None, keys: Sequence[Any] | None = None, ax: Any = None
) -> Any:
    """Show how much each query attends to each key.

    Args:
        weights: The weights of attention, shape (queries, keys); of several heads or examples, choose one, or their
            mean.
        queries: Names of the queries, such as the words that were written.
        keys: Names of the keys, such as the words that were read.
        ax: The axes; by default those of a new figure.

    Returns:
        The axes.

    Example:
        >>> from portanet import plot
        >>> ax = plot.attention([[0.9, 0.1], [0.2, 0.8]], ["the", "cat"], ["le", "chat"])
        >>> [label.get_text() for label in ax.get_xticklabels()]
        ['le', 'chat']
    """
    of = "plot.attention"
    values = host("weights", weights, of, "an array of shape (queries, keys), of one head and example", 2)
    if not values.size:
        raise checks.invalid("weights", weights, "an array of shape (queries, keys) that is not empty", of)
    rows, columns = values.shape
    ax = new_axes(ax, of, (min(2.0 + 0.35 * columns, 10.0), min(1.5 + 0.35 * rows, 10.0)))
    picture = ax.imshow(values, cmap="viridis", vmin=0, aspect="auto")
    for axis, name, given, count in ((ax.xaxis, "keys", keys, columns), (ax.yaxis, "queries", queries, rows)):
        if given is None:
            whole_numbers(axis)
        else:
            axis.set_ticks(range(count), names_of(name, given, of, count))
    if keys is not None and max(map(len, map(str, keys))) > 2:
        ax.tick_params(axis="x", rotation=60)
    ax.set_xlabel("key")
    ax.set_ylabel("query")
    ax.figure.colorbar(picture, ax=ax, label="weight")
    return ax


def gates(values: Any, steps: Sequence[Any] | None = None, axes: Panels = None) -> list[Any]:
    """Show gates, or other states, over time; one panel per name, below each other.

    Args:
        values: By name, values of shape (time,), shown as a curve, or (time, units), shown as colours.
        steps: What stands below each step, such as its character.
        axes: Axes, one per name; by default those of a new figure.

    Returns:
        The list of axes.

    Example:
        >>> import numpy as np
        >>> from portanet import plot
        >>> axes = plot.gates({"input": np.zeros((5, 3)), "forget": np.ones((5, 3))}, steps="hello")
        >>> [ax.get_title() for ax in axes]
        ['input', 'forget']
    """
    of = "plot.gates"
    if not isinstance(values, Mapping) or not values:
        raise checks.invalid("values", values, "a dict of arrays of shape (time,) or (time, units)", of)
    expected = "a dict of arrays of shape (time,) or (time, units), with values"
    arrays = {str(name): host("values", value, of, expected, (1, 2)) for name, value in values.items()}
    lengths = {len(array) for array in arrays.values()}
    if len(lengths) > 1 or any(not array.size for array in arrays.values()):
        shapes = ", ".join(f"{name!r} of shape {array.shape}" for name, array in arrays.items())
        raise ValueError(f"{checks.argument('values', of)} must be {expected}, all of one length. Received: {shapes}")
    (length,) = lengths
    named = None if steps is None else names_of("steps", steps, of, length)
    drawn = panels(len(arrays), axes, of, 1, (min(3.0 + 0.25 * length, 10.0), 1.8))
    for ax, (name, array) in zip(drawn, arrays.items(), strict=True):
        finite = array[np.isfinite(array)]
        low, high = float(np.min(finite, initial=0.0)), float(np.max(finite, initial=1.0))
        if array.ndim == 1:
            ax.plot(range(length), array, color=COLOURS[0], marker=".")
            ax.set_ylim(low - 0.05 * (high - low), high + 0.05 * (high - low))
        else:
            signed = low < 0
            reach = max(-low, high)
            shown = ax.imshow(
                array.T,
                aspect="auto",
                cmap="RdBu_r" if signed else "viridis",
                vmin=-reach if signed else 0.0,
                vmax=reach,
                interpolation="nearest",
            )
            ax.set_ylabel("unit")
            whole_numbers(ax.yaxis)
            ax.figure.colorbar(shown, ax=ax)
        ax.set_title(name)
        if named is None:
            whole_numbers(ax.xaxis)
        else:
            ax.set_xticks(range(length), named)
    drawn[-1].set_xlabel("step")
    return drawn
