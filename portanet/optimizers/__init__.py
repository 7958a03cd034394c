"""Optimizers."""

from typing import Any

from portanet.lookup import lookup, names
from portanet.optimizers import schedules
from portanet.optimizers.adadelta import Adadelta
from portanet.optimizers.adafactor import Adafactor
from portanet.optimizers.adagrad import Adagrad
from portanet.optimizers.adam import Adam, AdamW
from portanet.optimizers.adamax import Adamax
from portanet.optimizers.base import Optimizer
from portanet.optimizers.esgd import ESGD
from portanet.optimizers.lamb import Lamb
from portanet.optimizers.lion import Lion
from portanet.optimizers.lookahead import Lookahead
from portanet.optimizers.loss_scale import LossScaleOptimizer
from portanet.optimizers.minimize import Result, minimize
from portanet.optimizers.nadam import Nadam
from portanet.optimizers.rmsprop import RMSprop
from portanet.optimizers.rprop import Rprop
from portanet.optimizers.sgd import SGD

OPTIMIZERS = names(Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, ESGD, Lamb, Lion, Nadam, RMSprop, Rprop, SGD)


def get(identifier: Any, name: str = "identifier", of: Any = "") -> Any:
    """An optimizer by name, or the given object.

    Args:
        identifier: Name or object.
        name: Name of the argument that holds it, for errors.
        of: The layer, class or function that takes it.
    """
    return lookup("optimizer", identifier, OPTIMIZERS, name, of, Optimizer)


__all__ = [
    "ESGD",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Lamb",
    "Lion",
    "Lookahead",
    "LossScaleOptimizer",
    "Nadam",
    "Optimizer",
    "RMSprop",
    "Result",
    "Rprop",
    "get",
    "minimize",
    "schedules",
]
