"""The mask of a merged array."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace


def joint_mask(masks: list[Any]) -> Any:
    """Where all masks are True; a mask of None is True everywhere, and None stands for no mask at all."""
    found = None
    for mask in masks:
        if mask is not None:
            found = mask if found is None else array_namespace(found, mask).logical_and(found, mask)
    return found
