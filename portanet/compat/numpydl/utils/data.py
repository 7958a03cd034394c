"""Conversion between class indices and one-hot vectors."""

from __future__ import annotations

from typing import Any

import numpy as np

from portanet.backends import HostArray, to_host


def one_hot(labels: Any, nb_classes: int | None = None) -> HostArray:
    """One-hot vectors of class indices: row i has a 1 in column `labels[i]`.

    Args:
        labels: Class indices, shape (n,): integers, floats with integral values, booleans or strings of digits.
        nb_classes: Number of columns; by default the largest label plus 1.

    Raises:
        ValueError: A label is not a class index in [0, nb_classes).

    Example:
        >>> one_hot([0, 2], 3)
        array([[1., 0., 0.],
               [0., 0., 1.]])
    """
    host = _class_indices(labels)
    classes = nb_classes if nb_classes is not None else (int(host.max()) + 1 if host.size else 0)
    if host.size and (host.min() < 0 or host.max() >= classes):
        raise ValueError(f"Labels must be in [0, {classes}). Received: labels from {host.min()} to {host.max()}")
    out = np.zeros((host.shape[0], classes))
    out[np.arange(host.shape[0]), host] = 1.0
    return out


def _class_indices(labels: Any) -> HostArray:
    """Labels as integers; loaders of MNIST return floats or strings."""
    host = to_host(labels if hasattr(labels, "__len__") else list(labels))
    if host.dtype.kind == "O":
        host = np.asarray(host.tolist())
    integral = host.dtype.kind in "biu"
    if host.dtype.kind in "SU":
        integral = bool(np.char.isdigit(host).all())
    elif host.dtype.kind == "f":
        integral = bool(np.all(np.isfinite(host) & (host == np.trunc(host))))
    if host.ndim != 1 or not integral:
        raise ValueError(
            "Argument `labels` of one_hot must be a vector of class indices; for other labels use "
            "numpy.unique(labels, return_inverse=True)[1]. "
            f"Received: shape {host.shape}, dtype {host.dtype}, values {host.ravel()[:3].tolist()}"
        )
    return host.astype("int64")


def unhot(one_hot_labels: Any) -> HostArray:
    """Class indices of one-hot vectors: the index of the largest element of each row.

    Args:
        one_hot_labels: One-hot vectors, shape (examples, classes).

    Example:
        >>> unhot([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
        array([0, 2])
    """
    return np.asarray(np.argmax(to_host(one_hot_labels), axis=-1))
