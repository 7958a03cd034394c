"""Layers for any function, for nothing at all, and for marking the time steps to leave out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.base import Layer
from portanet.layers.several_inputs import entries


class Identity(Layer):
    """The input itself.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Identity()(np.asarray([1.0, 2.0]))
        array([1., 2.])
    """

    keeps_shape = True
    keeps_values = True

    def call(self, x: Any) -> Any:
        return x


class Lambda(Layer):
    """A function of arrays as a layer; as `keras.layers.Lambda`.

    Args:
        function: `function(x, **arguments)`, written against the array API standard (`x.__array_namespace__()` inside
            training, `portanet.autodiff.array_namespace(x)` everywhere).
        output_shape: Shape of the result without the batch axis, or a function from the shape of the input to that of
            the result, both with the batch axis; None to find it by trying the function on zeros.
        mask: Mask of the result, or a function `(x, mask) -> mask`; None to pass the input's mask on.
        arguments: Further arguments of the function, by name.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Lambda(lambda x: 2 * x)(np.asarray([1.0, 2.0]))
        array([2., 4.])
    """

    by_example = False  # the function may do anything

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if not callable(function):
            raise TypeError(f"Argument `function` of layer '{self.name}' must be a function. Received: {function!r}")
        self.function = function
        self.output_shape = output_shape
        self.mask = mask
        self.arguments = dict(arguments or {})

    def call(self, x: Any) -> Any:
        return self.function(x, **self.arguments)

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        if self.mask is None:
            return mask
        return self.mask(x, mask) if callable(self.mask) else self.mask

    def compute_output_shape(self, input_shape: Any) -> Any:
        if callable(self.output_shape):
            return self.output_shape(input_shape)
        if self.output_shape is not None:
            return (entries(input_shape)[0][0], *self.output_shape)
        return super().compute_output_shape(input_shape)


class Masking(Layer):
    """Mark the time steps whose features are all `mask_value`, and set them to 0; as `keras.layers.Masking`.

    The layers after it that use masks leave those steps out.

    Args:
        mask_value: The value.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: shape (batch, steps, ..., features). Result: the same; its mask has shape (batch, steps, ...).

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Masking()(np.asarray([[[1.0], [0.0]]])).tolist()
        [[[1.0], [0.0]]]
        >>> layers.Masking().compute_mask(np.asarray([[[1.0], [0.0]]]))
        array([[ True, False]])
    """

    keeps_shape = True

    def __init__(self, mask_value: float = 0.0, **options: Any) -> None:
        super().__init__(**options)
        self.mask_value = float(mask_value)

    def call(self, x: Array) -> Array:
        xp = array_namespace(x)
        return xp.where(xp.any(x != self.mask_value, axis=-1, keepdims=True), x, 0.0)

    def compute_mask(self, x: Any, mask: Any = None) -> Any:
        return array_namespace(x).any(x != self.mask_value, axis=-1)


def joint_mask(masks: list[Any]) -> Any:
    """Where all masks are True; a mask of None is True everywhere, and None stands for no mask at all."""
    found = None
    for mask in masks:
        if mask is not None:
            found = mask if found is None else array_namespace(found, mask).logical_and(found, mask)
    return found
