"""The same weights for models of two libraries."""

from __future__ import annotations

from typing import Any

import numpy as np


def start(model: Any) -> None:
    """Give a built model weights that depend on their shapes alone."""
    rng = np.random.default_rng(0)
    values = []
    for weight in model.get_weights():
        if np.ndim(weight) < 2:  # offsets, scales and variances: positive
            values.append(rng.uniform(0.1, 0.6, np.shape(weight)).astype("float32"))
        else:
            values.append(rng.normal(0.0, 0.3, np.shape(weight)).astype("float32"))
    model.set_weights(values)
