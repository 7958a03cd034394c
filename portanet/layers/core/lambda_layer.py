"""Functions as layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portanet import checks
from portanet.layers.base import Layer
from portanet.layers.calling import calling
from portanet.layers.several_inputs import entries
from portanet.layers.symbolic import SymbolicArray
from portanet.mixed_precision import cast_integers
from portanet.tree import tree_leaves


class Lambda(Layer):
    """A function of arrays as a layer; as `keras.layers.Lambda`.

    Args:
        function: `function(x, **arguments)`, written against the array API standard (`x.__array_namespace__()` inside
            training, `portanet.autodiff.array_namespace(x)` everywhere).
        output_shape: Shape of the output without the batch axis, or a function from the shape of the input to that of
            the output, both with the batch axis; None to determine it by calling the function on zeros.
        mask: Mask of the output, or a function `(x, mask) -> mask`; None for none, since a function may move or
            merge time steps.
        arguments: Further keyword arguments of the function.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Lambda(lambda x: 2 * x)(np.asarray([1.0, 2.0]))
        array([2., 4.])
    """

    built_at_once = False
    _passes_masks = False

    def __init__(
        self,
        function: Callable[..., Any],
        output_shape: Any = None,
        mask: Any = None,
        arguments: dict[str, Any] | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.function = checks.function("function", function, self)
        self.output_shape = output_shape
        if not (output_shape is None or callable(output_shape)):
            self.output_shape = checks.sizes("output_shape", output_shape, self)
        if not (mask is None or callable(mask) or hasattr(mask, "dtype")):
            raise checks.invalid("mask", mask, "an array, a function or None", self)
        self.mask = mask
        self.arguments = dict(checks.mapping("arguments", {} if arguments is None else arguments, self))

    def __call__(self, x: Any = None, *further: Any, **options: Any) -> Any:
        if calling.get() is None and not any(isinstance(leaf, SymbolicArray) for leaf in tree_leaves(x)):
            x = cast_integers(x, self)  # data; in a model, integers are what the function is given
        return super().__call__(x, *further, **options)

    def call(self, x: Any) -> Any:
        return self.function(x, **self.arguments)

    def compute_mask(self, inputs: Any, mask: Any = None) -> Any:
        return self.mask(inputs, mask) if callable(self.mask) else self.mask

    def compute_output_shape(self, input_shape: Any) -> Any:
        if callable(self.output_shape):
            return self.output_shape(input_shape)
        if self.output_shape is not None:
            return (entries(input_shape)[0][0], *self.output_shape)
        return super().compute_output_shape(input_shape)
