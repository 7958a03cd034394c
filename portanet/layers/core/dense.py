"""Fully connected layers."""

from __future__ import annotations

import warnings
from typing import Any

from portanet import checks, constraints, initializers, regularizers
from portanet.activations import softmax
from portanet.backends import Array
from portanet.fused.products import dense
from portanet.layers.activations.attribute import HasActivation
from portanet.layers.base import Layer


class Dense(HasActivation, Layer):
    """`activation(x @ kernel + bias)` over the last axis; as `keras.layers.Dense`.

    Args:
        units: Size of the last axis of the output.
        activation: Name or function; None for none.
        use_bias: Whether to add a bias.
        kernel_initializer: Initial values of the kernel, shape (features, units).
        bias_initializer: Initial values of the bias, shape (units,).
        kernel_regularizer: Name or function: penalty on the kernel, added to the loss.
        bias_regularizer: Likewise on the bias.
        activity_regularizer: Likewise on the output, divided by the number of examples.
        kernel_constraint: Name or function applied to the kernel after each update.
        bias_constraint: Likewise to the bias.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: shape (batch, ..., features). Output: shape (batch, ..., units), dtype of the input.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Dense(4, activation="relu")(np.ones((2, 3), dtype="float32")).shape
        (2, 4)
    """

    independent_examples = True
    supports_masking = True
    casts_integers = True
    bias: Any = None

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **options)
        self.units = checks.positive_int("units", units, self)
        self.activation = activation
        if self.units == 1 and self.activation is softmax:
            warnings.warn(
                f"Layer '{self.name}' has a softmax over one unit, which is always 1: take the sigmoid, or a unit for "
                "each class.",
                stacklevel=2,
            )
        self.use_bias = checks.boolean("use_bias", use_bias, self)
        self.kernel_initializer = initializers.get(kernel_initializer, "kernel_initializer", self)
        self.bias_initializer = initializers.get(bias_initializer, "bias_initializer", self)
        self.kernel_regularizer = regularizers.get(kernel_regularizer, "kernel_regularizer", self)
        self.bias_regularizer = regularizers.get(bias_regularizer, "bias_regularizer", self)
        self.kernel_constraint = constraints.get(kernel_constraint, "kernel_constraint", self)
        self.bias_constraint = constraints.get(bias_constraint, "bias_constraint", self)

    def build(self, input_shape: Any) -> None:
        self.require_rank(input_shape, 2, "(batch, ..., features)")
        self.kernel = self.add_weight(
            shape=(input_shape[-1], self.units),
            initializer=self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.units,),
                initializer=self.bias_initializer,
                name="bias",
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def call(self, x: Array) -> Array:
        kernel = self.kernel.value
        self.require_axis(x, -1, kernel.shape[0])
        epilogue = self.epilogue
        out = dense(x, kernel, self.bias.value if self.use_bias else None, activation=epilogue)
        return out if epilogue else self.activation(out)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.units)
