"""The same weights for models of two libraries."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np


def start(model: Any) -> None:
    """Give a built model weights that depend on their shapes, and on the order of those of one shape, alone."""
    values: list[Any] = []
    seen: Counter[tuple[int, ...]] = Counter()
    for weight in model.get_weights():
        shape = np.shape(weight)
        rng = np.random.default_rng([*shape, 0, seen[shape]])
        seen[shape] += 1
        # Vectors are offsets, scales and variances: positive.
        value = rng.uniform(0.1, 0.6, shape) if len(shape) < 2 else rng.normal(0.0, 0.3, shape)
        values.append(value.astype("float32"))
    model.set_weights(values)
