"""Optimizers."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from portanet.lookup import created, described, lookup, names, no_attribute
from portanet.optimizers import schedules
from portanet.optimizers.adadelta import Adadelta
from portanet.optimizers.adafactor import Adafactor
from portanet.optimizers.adagrad import Adagrad
from portanet.optimizers.adam import Adam, AdamW
from portanet.optimizers.adamax import Adamax
from portanet.optimizers.base import Optimizer
from portanet.optimizers.descend import descend
from portanet.optimizers.esgd import ESGD
from portanet.optimizers.ftrl import Ftrl
from portanet.optimizers.lamb import Lamb
from portanet.optimizers.lion import Lion
from portanet.optimizers.lookahead import Lookahead
from portanet.optimizers.loss_scale import LossScaleOptimizer
from portanet.optimizers.minimize import Result, minimize
from portanet.optimizers.multi_optimizer import MultiOptimizer, OptimizerMap
from portanet.optimizers.muon import Muon
from portanet.optimizers.nadam import Nadam
from portanet.optimizers.rmsprop import RMSprop
from portanet.optimizers.roots import Root, bisect, newton
from portanet.optimizers.rprop import Rprop
from portanet.optimizers.schedule_free_adamw import ScheduleFreeAdamW
from portanet.optimizers.sgd import SGD

OPTIMIZERS = names(
    Adadelta, Adafactor, Adagrad, Adam, AdamW, Adamax, ESGD, Ftrl, Lamb, Lion, Muon, Nadam, RMSprop, Rprop,
    ScheduleFreeAdamW, SGD,
)  # fmt: skip
WITH_CONFIG = OPTIMIZERS | names(Lookahead, LossScaleOptimizer, MultiOptimizer)
"""Those that descriptions name: also those that need arguments."""


def get(identifier: Any, name: str = "identifier", of: Any = "") -> Any:
    """An optimizer by name, or the given object.

    Args:
        identifier: Name or object; None, unless it is the argument of another function, for None.
        name: Name of the argument that holds it, for errors.
        of: The layer, class or function that takes it.

    Example:
        >>> get("sgd").name
        'sgd'
    """
    if identifier is None and not of:
        return None
    known = WITH_CONFIG if isinstance(identifier, Mapping) else OPTIMIZERS
    return lookup("optimizer", identifier, known, name, of, Optimizer)


def serialize(optimizer: Any) -> Any:
    """The description of an optimizer that Keras would write, for `deserialize`.

    Args:
        optimizer: The optimizer.

    Example:
        >>> from portanet import optimizers
        >>> optimizers.deserialize(optimizers.serialize(optimizers.SGD(0.5))).learning_rate
        0.5
    """
    return described(optimizer)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The optimizer of a description by `serialize` or Keras's own, or of its name.

    Args:
        config: The description.
        custom_objects: Classes and functions by the names in it, beside those that are registered.

    Example:
        >>> from portanet import optimizers
        >>> optimizers.deserialize(optimizers.serialize(optimizers.SGD(0.5))).name
        'sgd'
    """
    return created("optimizer", config, WITH_CONFIG, custom_objects)


__all__ = [
    "ESGD",
    "SGD",
    "Adadelta",
    "Adafactor",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "Ftrl",
    "Lamb",
    "Lion",
    "Lookahead",
    "LossScaleOptimizer",
    "MultiOptimizer",
    "Muon",
    "Nadam",
    "Optimizer",
    "OptimizerMap",
    "RMSprop",
    "Result",
    "Root",
    "Rprop",
    "ScheduleFreeAdamW",
    "bisect",
    "descend",
    "deserialize",
    "get",
    "minimize",
    "newton",
    "schedules",
    "serialize",
]


if not TYPE_CHECKING:  # which then knows the names

    def __getattr__(name):
        raise no_attribute(__name__, name, __all__)
