"""The table of the cases, and what they share."""

from __future__ import annotations

import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

Seen = Callable[[str], None]
Case = Callable[[Any, Seen, pathlib.Path], Any]
CASES: dict[tuple[str, str], Case] = {}
"""Every case by a class and the methods that a subclass of it overrides."""

X = np.linspace(-1.0, 1.0, 12, dtype="float32").reshape(4, 3)
Y = np.linspace(0.0, 1.0, 4, dtype="float32").reshape(4, 1)


def case(cls: str, methods: str) -> Callable[[Case], Case]:
    """Add a case to the table."""

    def add(function: Case) -> Case:
        before = CASES.get((cls, methods), function)
        assert before.__qualname__ == function.__qualname__  # pytest imports modules again in search of examples
        CASES[cls, methods] = function
        return function

    return add


def dense(library: Any, units: int = 1, **options: Any) -> Any:
    """A layer whose weights are known."""
    return library.layers.Dense(units, kernel_initializer="ones", **options)


def plain(library: Any, value: Any) -> Any:
    """A tree with arrays of NumPy in place of the library's."""
    if isinstance(value, dict):
        return {str(key): plain(library, each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(library, each) for each in value]
    if value is None or isinstance(value, (str, bool, int)):
        return value
    return library.ops.convert_to_numpy(value)


def fitted(library: Any, model: Any, epochs: int = 2, **options: Any) -> Any:
    """What `fit` says of a compiled model, and its weights afterwards."""
    history = model.fit(X, Y, batch_size=2, epochs=epochs, shuffle=False, verbose=0, **options).history
    return history, model.get_weights()
