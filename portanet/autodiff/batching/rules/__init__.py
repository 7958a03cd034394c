"""The batching rule of every function of the standard, one file per section."""

from portanet.autodiff.batching.declare import RULES
from portanet.autodiff.batching.rules import (
    creation,
    elementwise,
    fft,
    indexing,
    linalg,
    manipulation,
    products,
    searching,
    statistical,
)

__all__ = [
    "RULES",
    "creation",
    "elementwise",
    "fft",
    "indexing",
    "linalg",
    "manipulation",
    "products",
    "searching",
    "statistical",
]
