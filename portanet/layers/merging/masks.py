"""Masks of merged arrays."""

from __future__ import annotations

import functools
from typing import Any

from portanet.autodiff import array_namespace


def one_per_array(layer: Any, inputs: Any, mask: Any) -> list[Any]:
    """The masks of merged arrays, as `compute_mask` takes them.

    Raises:
        ValueError: Arrays or masks are no list, or the lists differ in length.
    """
    for name, value in (("mask", mask), ("inputs", inputs)):
        if not isinstance(value, (list, tuple)):
            raise ValueError(
                f"Layer '{layer.name}' merges several arrays, so that `{name}` should be a list of one per array. "
                f"Received: {name} of type {type(value).__name__}"
            )
    if len(inputs) != len(mask):
        raise ValueError(
            f"Lists `inputs` and `mask` of layer '{layer.name}' should have the same length. "
            f"Received: {len(inputs)} arrays, {len(mask)} masks"
        )
    return list(mask)


def any_mask(masks: list[Any]) -> Any:
    """Where any mask is True; None, for no mask, if one of them is None."""
    if any(mask is None for mask in masks):
        return None
    return functools.reduce(lambda a, b: array_namespace(a, b).logical_or(a, b), masks)
