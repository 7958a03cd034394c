"""The losses."""

from typing import Any

from portanet.lookup import lookup, names
from portanet.losses.base import FunctionLoss, Loss
from portanet.losses.classification import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy
from portanet.losses.regression import MeanSquaredError

LOSSES = names(BinaryCrossentropy, CategoricalCrossentropy, MeanSquaredError, SparseCategoricalCrossentropy)
LOSSES["mse"] = MeanSquaredError


def get(identifier: Any) -> Loss:
    """A loss by name, the object given, or a loss made of a function `(y_true, y_pred) -> loss of each example`."""
    found = lookup("loss", identifier, LOSSES)
    return found if isinstance(found, Loss) else FunctionLoss(found)


__all__ = [
    "BinaryCrossentropy",
    "CategoricalCrossentropy",
    "FunctionLoss",
    "Loss",
    "MeanSquaredError",
    "SparseCategoricalCrossentropy",
    "get",
]
