"""The shape of what a model takes."""

from __future__ import annotations

from typing import Any

from portanet.backends import Array
from portanet.layers.base import Layer, Shape


class InputLayer(Layer):
    """Says the shape of one example, so that the model can be built before it sees data.

    Args:
        shape: Shape of one example, without the batch axis; None where it may vary.
        batch_size: Size of the batch axis, if it is fixed.
        **options: `name`, `trainable`, `dtype` of `Layer`.
    """

    def __init__(self, shape: Any, batch_size: int | None = None, **options: Any) -> None:
        super().__init__(**options)
        if isinstance(shape, int) or any(n is not None and (not isinstance(n, int) or n < 0) for n in shape):
            raise ValueError(
                f"Argument `shape` must be a tuple of sizes of one example, such as (784,). Received: shape={shape!r}"
            )
        self.shape: Shape = tuple(shape)
        self.batch_size = batch_size

    @property
    def batch_shape(self) -> Shape:
        """The shape with the batch axis."""
        return (self.batch_size, *self.shape)

    def call(self, x: Array) -> Array:
        return x


def Input(shape: Any, batch_size: int | None = None, name: str | None = None) -> InputLayer:  # noqa: N802 -- as Keras
    """The first entry of a `Sequential` model: the shape of one example.

    Example:
        >>> from portanet import layers
        >>> layers.Input((784,)).batch_shape
        (None, 784)
    """
    return InputLayer(shape, batch_size, name=name)
