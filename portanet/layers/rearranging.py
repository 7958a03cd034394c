"""What layers that move elements have in common."""

from __future__ import annotations

from typing import Any

from portanet.layers.base import Layer


class Rearranging(Layer):
    """A layer after which the axes mean something else, so that a mask of the time steps does not apply any more."""

    keeps_values = True

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        return None
