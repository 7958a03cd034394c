"""Class numbers and their indicators."""

from __future__ import annotations

from typing import Any

import numpy as np

from portanet.backends import HostArray, to_host


def one_hot(labels: Any, nb_classes: int | None = None) -> HostArray:
    """Indicators of class numbers: row i has a 1 in column `labels[i]`.

    Args:
        labels: Integers, shape (n,).
        nb_classes: Number of columns; by default the largest label plus 1.

    Raises:
        ValueError: A label is not an integer in [0, nb_classes).

    Example:
        >>> one_hot([0, 2], 3)
        array([[1., 0., 0.],
               [0., 0., 1.]])
    """
    host = to_host(labels)
    if host.ndim != 1 or not np.issubdtype(host.dtype, np.integer):
        raise ValueError(
            f"Argument `labels` must be integers in one dimension. Received: shape {host.shape}, dtype {host.dtype}"
        )
    classes = nb_classes if nb_classes is not None else (int(host.max()) + 1 if host.size else 0)
    if host.size and (host.min() < 0 or host.max() >= classes):
        raise ValueError(f"Labels must be in [0, {classes}). Received: labels from {host.min()} to {host.max()}")
    out = np.zeros((host.shape[0], classes))
    out[np.arange(host.shape[0]), host] = 1.0
    return out


def unhot(one_hot_labels: Any) -> HostArray:
    """Class numbers of indicators: the position of the largest element of each row.

    Example:
        >>> unhot([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
        array([0, 2])
    """
    return np.asarray(np.argmax(to_host(one_hot_labels), axis=-1))
