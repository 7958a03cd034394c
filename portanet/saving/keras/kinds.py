"""The classes of models, which are imported late: they import this package."""

from __future__ import annotations

import functools
import importlib
from types import SimpleNamespace


@functools.cache
def kinds() -> SimpleNamespace:
    """The classes `model`, `functional` and `sequential`."""
    models = importlib.import_module("portanet.models")
    return SimpleNamespace(model=models.Model, functional=models.Functional, sequential=models.Sequential)
