"""The base class of layers that rearrange elements."""

from __future__ import annotations

from typing import Any

from portanet.layers.base import Layer


class Rearranging(Layer):
    """A layer that changes the meaning of axes, so that a mask of time steps no longer applies."""

    keeps_values = True

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return None
