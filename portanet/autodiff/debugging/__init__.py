"""Checks of derivatives, values that are not finite, and lists of operations, for tests and debugging."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

LOG: ContextVar[Any] = ContextVar("log", default=None)
"""The log that traces started in this context append their operations to; see `anomaly.py`."""
