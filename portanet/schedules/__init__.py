"""Schedules: hyperparameters as functions of the step."""

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
    "plot",
]
