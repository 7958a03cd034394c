"""Masks of merged arrays."""

from __future__ import annotations

import functools
from typing import Any

from portanet.autodiff import array_namespace


def any_mask(masks: list[Any]) -> Any:
    """Where any mask is True; None, for no mask, if one of them is None."""
    if any(mask is None for mask in masks):
        return None
    return functools.reduce(lambda a, b: array_namespace(a, b).logical_or(a, b), masks)
