"""Bilinear layers."""

from __future__ import annotations

from typing import Any

from portanet import activations, checks, constraints, initializers, regularizers
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.base import Layer
from portanet.layers.several_inputs import Several, shape_of


class Bilinear(Layer):
    """`activation(a @ kernel_k @ b + bias_k)` for two inputs a, b and each unit k; as `torch.nn.Bilinear`.

    Args:
        units: Number of units.
        activation: Name or function; None for none.
        use_bias: Whether to add a bias.
        kernel_initializer: Initial values of the kernels, shape (features of a, features of b, units).
        bias_initializer: Initial values of the bias, shape (units,).
        kernel_regularizer: Penalty on the kernels, added to the loss.
        bias_regularizer: Likewise on the bias.
        kernel_constraint: Function applied to the kernels after each update.
        bias_constraint: Likewise to the bias.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: a list of two arrays of shapes (batch, features) and (batch, others). Output: shape (batch, units).

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> x = np.ones((5, 2), dtype="float32"), np.ones((5, 3), dtype="float32")
        >>> layers.Bilinear(4)(list(x)).shape
        (5, 4)
    """

    several_inputs: Several = Several("first", "second")
    casts_integers = True

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.units = checks.positive_int("units", units, self)
        self.activation = activations.get(activation, "activation", self)
        self.use_bias = checks.boolean("use_bias", use_bias, self)
        self.kernel_initializer = initializers.get(kernel_initializer, "kernel_initializer", self)
        self.bias_initializer = initializers.get(bias_initializer, "bias_initializer", self)
        self.kernel_regularizer = regularizers.get(kernel_regularizer, "kernel_regularizer", self)
        self.bias_regularizer = regularizers.get(bias_regularizer, "bias_regularizer", self)
        self.kernel_constraint = constraints.get(kernel_constraint, "kernel_constraint", self)
        self.bias_constraint = constraints.get(bias_constraint, "bias_constraint", self)

    def build(self, input_shape: Any) -> None:
        first, second = self._pair(input_shape)
        self.kernel = self.add_weight(
            shape=(first[1], second[1], self.units),
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

    def call(self, x: Any) -> Array:
        first, second = x
        kernel = self.kernel.value
        self._pair(shape_of(x))
        self.require_axis(first, -1, kernel.shape[0])
        self.require_axis(second, -1, kernel.shape[1])
        xp = array_namespace(first, second, kernel)
        rows = xp.matmul(first, xp.reshape(kernel, (kernel.shape[0], -1)))
        rows = xp.reshape(rows, (first.shape[0], kernel.shape[1], self.units))
        out = xp.matmul(xp.expand_dims(second, axis=1), rows)[:, 0, :]
        return self.activation(out + self.bias.value if self.use_bias else out)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (self._pair(input_shape)[0][0], self.units)

    def _pair(self, shapes: Any) -> Any:
        pair = self.several_inputs.entries(self, shapes)
        if any(len(shape) != 2 for shape in pair):
            raise ValueError(
                f"Layer '{self.name}' takes two arrays of shape (batch, features). Received: shapes {pair}"
            )
        return pair
