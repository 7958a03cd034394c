"""Arguments for every function of portanet.ops, by its name: for comparison with Keras, and for bad calls."""

from tests.ops.cases import creation, elementwise, images, indexing, networks, products, reductions, shapes, signals
from tests.ops.cases.usual import CASES, CONSTANT, FUNCTIONS, OTHER, Case

__all__ = ["CASES", "CONSTANT", "FUNCTIONS", "OPTIONS", "OTHER", "Case"]

_MODULES = (elementwise, reductions, shapes, creation, indexing, products, signals, networks, images)
OPTIONS: dict[str, list[Case]] = {name: cases for module in _MODULES for name, cases in module.CASES.items()}
"""Calls with other values of options than their defaults, other axes and dtypes, and special values."""
