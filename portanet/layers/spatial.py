"""What layers over one, two or three axes of space share: their arguments and where those axes are."""

from __future__ import annotations

from typing import Any

from portanet.layers.base import Layer
from portanet.layers.rearranging import Rearranging

NAMES = {1: "steps", 2: "height, width", 3: "depth, height, width"}


class Spatial(Rearranging):
    """A layer over `rank` axes of space, which come after the batch's, channels last; or after those, channels first.

    Args:
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        **options: `name`, `trainable`, `dtype` of `Layer`.
    """

    works_in_pieces = True

    rank = 2

    def __init__(self, data_format: str | None = None, **options: Any) -> None:
        super().__init__(**options)
        if data_format not in (None, "channels_last", "channels_first"):
            raise ValueError(
                f"Argument `data_format` of layer '{self.name}' must be 'channels_last' or 'channels_first'. "
                f"Received: data_format={data_format!r}"
            )
        self.data_format = data_format or "channels_last"

    @property
    def axes(self) -> range:
        """The axes of space."""
        first = 1 if self.data_format == "channels_last" else 2
        return range(first, first + self.rank)

    def require_space(self, shape: Any) -> None:
        """Refuse inputs with another number of axes."""
        if len(shape) != self.rank + 2:
            space = NAMES[self.rank]
            form = f"(batch, {space}, channels)" if self.axes[0] == 1 else f"(batch, channels, {space})"
            raise ValueError(f"Layer '{self.name}' needs inputs of shape {form}. Received: shape {tuple(shape)}")


def sizes(layer: Layer, name: str, value: Any, rank: int, minimum: int) -> tuple[int, ...]:
    """An integer for each axis, from one for all or a tuple."""
    given = (value,) * rank if isinstance(value, int) else tuple(value) if isinstance(value, (tuple, list)) else ()
    if len(given) != rank or any(isinstance(n, bool) or not isinstance(n, int) or n < minimum for n in given):
        raise ValueError(
            f"Argument `{name}` of layer '{layer.name}' must be an integer of at least {minimum}, or {rank} of them. "
            f"Received: {name}={value!r}"
        )
    return given


def margins(layer: Layer, name: str, value: Any, rank: int) -> tuple[tuple[int, int], ...]:
    """(before, after) for each axis, from an integer for all, one for each axis, or a pair for each axis."""
    given: tuple[Any, ...]
    if isinstance(value, int):
        given = ((value, value),) * rank
    elif rank == 1 and isinstance(value, (tuple, list)) and all(isinstance(n, int) for n in value):
        given = (tuple(value),)
    else:
        sides = tuple(value) if isinstance(value, (tuple, list)) else ()
        given = tuple((side, side) if isinstance(side, int) else tuple(side) for side in sides)
    if len(given) != rank or any(
        len(pair) != 2 or any(isinstance(n, bool) or not isinstance(n, int) or n < 0 for n in pair) for pair in given
    ):
        raise ValueError(
            f"Argument `{name}` of layer '{layer.name}' must be an integer, or for each of {rank} axes an integer or a "
            f"pair (before, after), none negative. Received: {name}={value!r}"
        )
    return given
