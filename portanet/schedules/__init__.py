"""Schedules: hyperparameters as functions of the step."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from portanet.lookup import created, described, names, no_attribute
from portanet.schedules.base import Hyperparameter, LearningRateSchedule
from portanet.schedules.composition import Product, Sequential, Warmup
from portanet.schedules.cosine import CosineDecay, CosineDecayRestarts, OneCycle
from portanet.schedules.decay import (
    Constant,
    ExponentialDecay,
    InverseTimeDecay,
    PiecewiseConstantDecay,
    PolynomialDecay,
    PowerDecay,
    StepDecay,
)
from portanet.schedules.plateau import ReduceOnPlateau
from portanet.schedules.plot import plot

SCHEDULES = names(
    Constant, CosineDecay, CosineDecayRestarts, ExponentialDecay, InverseTimeDecay, OneCycle, PiecewiseConstantDecay,
    PolynomialDecay, PowerDecay, Product, Sequential, StepDecay, Warmup,
)  # fmt: skip


def serialize(learning_rate_schedule: Any) -> Any:
    """The description of a schedule that Keras would write, for `deserialize`.

    Args:
        learning_rate_schedule: The schedule.

    Example:
        >>> from portanet import schedules
        >>> schedules.deserialize(schedules.serialize(schedules.CosineDecay(0.5, 10)))(0)
        0.5
    """
    return described(learning_rate_schedule)


def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any:
    """The schedule of a description by `serialize` or Keras's own, or of its name.

    Args:
        config: The description.
        custom_objects: Classes and functions by the names in it, beside those that are registered.

    Example:
        >>> config = {"initial_learning_rate": 0.1, "decay_steps": 10, "decay_rate": 0.5}
        >>> deserialize({"class_name": "ExponentialDecay", "config": config})(10)
        0.05
    """
    return created("schedule", config, SCHEDULES, custom_objects)


__all__ = [
    "Constant",
    "CosineDecay",
    "CosineDecayRestarts",
    "ExponentialDecay",
    "Hyperparameter",
    "InverseTimeDecay",
    "LearningRateSchedule",
    "OneCycle",
    "PiecewiseConstantDecay",
    "PolynomialDecay",
    "PowerDecay",
    "Product",
    "ReduceOnPlateau",
    "Sequential",
    "StepDecay",
    "Warmup",
    "deserialize",
    "plot",
    "serialize",
]


if not TYPE_CHECKING:  # which then knows the names

    def __getattr__(name):
        raise no_attribute(__name__, name, __all__)
