"""Sample weights from class weights."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

from portanet import checks
from portanet.backends import HostArray, to_host


def class_weights(y: Any, class_weight: Mapping[int, float]) -> HostArray:
    """The weight of each example, from the weight of its class.

    Args:
        y: Targets: class numbers (or 0 and 1), shape (batch,) or (batch, 1), or one-hot rows (batch, classes).
        class_weight: Weight by class number; other classes have weight 1.

    Returns:
        Weights, a NumPy array of shape (batch,), float32: to be used as `sample_weight`.

    Raises:
        ValueError: The targets are not classes, or the weights are not non-negative.

    Example:
        >>> import numpy as np
        >>> class_weights(np.asarray([0, 1, 2, 1]), {0: 0.5, 1: 2.0})
        array([0.5, 2. , 1. , 2. ], dtype=float32)
    """
    checks.mapping("class_weight", class_weight)
    for number, weight in class_weight.items():
        valid = isinstance(number, Real) and not isinstance(number, bool) and number == number // 1 >= 0
        if not valid or not _is_weight(weight):
            raise ValueError(
                "Argument `class_weight` must hold non-negative weights by class number. "
                f"Received: {number!r}: {weight!r}"
            )
    host = to_host(y)
    if host.dtype.kind == "c":
        raise TypeError(
            "Argument `class_weight` is for targets that are class numbers. "
            f"Received: targets of dtype {host.dtype}, complex numbers"
        )
    if host.ndim not in (1, 2):
        raise ValueError(
            "Argument `class_weight` is for targets that are class numbers, (batch,) or (batch, 1), or one-hot rows, "
            f"(batch, classes); use `sample_weight` for others. Received: targets of shape {host.shape}"
        )
    one_hot = host.ndim == 2 and host.shape[1] > 1
    labels = host.argmax(axis=1) if one_hot else host.reshape(-1)
    if labels.dtype.kind == "f" and not (labels == labels // 1).all():
        raise ValueError(
            "Argument `class_weight` is for targets that are class numbers. "
            f"Received: targets of dtype {host.dtype} with fractions"
        )
    weights = (labels * 0 + 1).astype("float32")
    for number, weight in class_weight.items():
        weights[labels == number] = weight
    return weights


def _is_weight(weight: Any) -> bool:
    """Whether it is a non-negative, finite real number: a scalar of any library."""
    host = to_host(weight)
    return host.ndim == 0 and host.dtype.kind in "biuf" and bool(0 <= host < float("inf"))
