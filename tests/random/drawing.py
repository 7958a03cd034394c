"""One draw on a backend, and the same on NumPy for comparison."""

from __future__ import annotations

from typing import Any

import numpy as np

from portanet import random
from portanet.backends import get_backend, use_backend
from tests.support import asarray

KEY = random.stream_key(7, "layer")


def draw(kind: Any, shape: tuple[int, ...], step: int = 0, *, key: int = KEY, **options: Any) -> Any:
    """A draw on the current backend; `dtype` is a name."""
    if "dtype" in options:
        options["dtype"] = get_backend().find_dtype(options["dtype"])
    return kind(key, asarray(np.asarray(step, dtype="int32")), shape=shape, **options)


def on_numpy(kind: Any, shape: tuple[int, ...], step: int = 0, **options: Any) -> Any:
    with use_backend("numpy"):
        return draw(kind, shape, step, **options)
