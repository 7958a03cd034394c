"""What tests of two libraries share."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest


@contextlib.contextmanager
def as_on_jax(keras: Any) -> Iterator[None]:
    """On PyTorch, Keras's ScheduleFreeAdamW reads the old momentum after it was changed in place."""
    cls = keras.optimizers.ScheduleFreeAdamW

    def assign_sub(self: Any, variable: Any, value: Any) -> None:
        variable._value = variable.value - value

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cls, "assign_sub", assign_sub)
        yield


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
