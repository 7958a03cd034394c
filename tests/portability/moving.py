"""A run that changes its backend."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

import portanet
from portanet.backends import HostArray, use_backend
from tests.portability.curves import digits, model

EPOCHS = 3
Leg = tuple[str, Any]
"""A backend and its device."""


def losses(legs: Sequence[Leg], folder: pathlib.Path | None = None) -> list[float]:
    """The loss of every epoch of a run that trains for three epochs on each of some backends.

    Args:
        legs: The backends, in turn.
        folder: If given, the model moves to the next backend through a file in it, else by `model.to`.
    """
    x, y = (a[:256] for a in digits())
    with use_backend(*legs[0]):
        trained = model("MLP")
    result: list[float] = []
    for place, leg in enumerate(legs):
        if place and folder is None:
            trained.to(*leg)
        with use_backend(*leg):
            if place and folder is not None:
                trained = portanet.load_model(folder / "model.safetensors")
            last = EPOCHS * (place + 1)
            result += trained.fit(x, y, epochs=last, initial_epoch=last - EPOCHS, verbose=0).history["loss"]
        if folder is not None:
            trained.save(folder / "model.safetensors")
    return result


def stayed(epochs: int) -> HostArray:
    """The same run on NumPy alone."""
    x, y = (a[:256] for a in digits())
    with use_backend("numpy"):
        return model("MLP").fit(x, y, epochs=epochs, verbose=0).history["loss"]
