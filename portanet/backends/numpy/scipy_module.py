"""SciPy, where it is installed."""

from __future__ import annotations

import functools
import importlib
from typing import Any


@functools.cache
def scipy_module(name: str) -> Any:
    """`scipy.NAME`; None if SciPy is not installed."""
    try:
        return importlib.import_module(f"scipy.{name}")
    except ImportError:
        return None
