"""The optimizers."""

from typing import Any

from portanet.lookup import lookup, names
from portanet.optimizers.adam import Adam
from portanet.optimizers.base import Optimizer
from portanet.optimizers.sgd import SGD

OPTIMIZERS = names(Adam, SGD)


def get(identifier: Any) -> Any:
    """An optimizer by name, or the object given."""
    return identifier if isinstance(identifier, Optimizer) else lookup("optimizer", identifier, OPTIMIZERS)


__all__ = ["SGD", "Adam", "Optimizer", "get"]
