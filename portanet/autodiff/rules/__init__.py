"""The derivative of every function of the standard, one file for each of its sections."""

from portanet.autodiff.rules import creation, elementwise, indexing, manipulation, products, statistical
from portanet.autodiff.rules.declare import COMPOSITES, PASSTHROUGH, RULES

__all__ = [
    "COMPOSITES",
    "PASSTHROUGH",
    "RULES",
    "creation",
    "elementwise",
    "indexing",
    "manipulation",
    "products",
    "statistical",
]
