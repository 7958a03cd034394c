"""The base class of layers over one, two or three spatial axes."""

from __future__ import annotations

from typing import Any

from portanet import checks
from portanet.layers.rearranging import Rearranging

NAMES = {1: "steps", 2: "height, width", 3: "depth, height, width"}


class Spatial(Rearranging):
    """A layer over `rank` spatial axes: between batch and channels, or last if channels come first.

    Args:
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype` of `Layer`.
    """

    rank = 2

    def __init__(self, data_format: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.data_format = checks.data_format(data_format, self)

    @property
    def axes(self) -> range:
        """The spatial axes."""
        first = 1 if self.data_format == "channels_last" else 2
        return range(first, first + self.rank)

    def require_space(self, shape: Any) -> None:
        """Reject inputs with another number of axes."""
        if len(shape) != self.rank + 2:
            space = NAMES[self.rank]
            form = f"(batch, {space}, channels)" if self.axes[0] == 1 else f"(batch, channels, {space})"
            raise ValueError(f"Layer '{self.name}' needs inputs of shape {form}. Received: shape {tuple(shape)}")
