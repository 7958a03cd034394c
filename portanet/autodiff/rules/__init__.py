"""The derivative of every function of the standard, one file per section."""

from portanet.autodiff.rules import (
    creation,
    elementwise,
    fft,
    indexing,
    linalg,
    manipulation,
    norms,
    products,
    searching,
    statistical,
    views,
)
from portanet.autodiff.rules.declare import COMPOSITES, CREATION, PASSTHROUGH, PRIMITIVES, RULES, VIEWS

__all__ = [
    "COMPOSITES",
    "CREATION",
    "PASSTHROUGH",
    "PRIMITIVES",
    "RULES",
    "VIEWS",
    "creation",
    "elementwise",
    "fft",
    "indexing",
    "linalg",
    "manipulation",
    "norms",
    "products",
    "searching",
    "statistical",
    "views",
]
