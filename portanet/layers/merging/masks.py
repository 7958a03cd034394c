"""Masks of merged arrays."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace


def joint_mask(masks: list[Any]) -> Any:
    """Where all masks are True; None as a mask is True everywhere, and the result for no masks."""
    joint = None
    for mask in masks:
        if mask is not None:
            joint = mask if joint is None else array_namespace(joint, mask).logical_and(joint, mask)
    return joint
