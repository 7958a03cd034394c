"""The largest of several linear functions."""

from __future__ import annotations

import math
from typing import Any

from portanet import activations, checks, constraints, initializers, regularizers
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.base import Layer


class Maxout(Layer):
    """The largest of several linear functions, `max_j (x @ kernel_j + bias_j)` (Goodfellow et al. 2013).

    Args:
        units: Size of the last axis of the output.
        pieces: Number of linear functions per unit.
        use_bias: Whether to add biases.
        kernel_initializer: Initial values of the kernel, shape (features, units * pieces).
        bias_initializer: Initial values of the bias, shape (units * pieces,).
        kernel_regularizer: Penalty on the kernel, added to the loss.
        bias_regularizer: Penalty on the bias.
        kernel_constraint: Function applied to the kernel after each update.
        bias_constraint: Function applied to the bias after each update.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: shape (batch, ..., features). Output: shape (batch, ..., units).

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Maxout(4, pieces=3)(np.ones((2, 5), dtype="float32")).shape
        (2, 4)
    """

    supports_masking = True
    casts_integers = True

    def __init__(
        self,
        units: int,
        pieces: int = 2,
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
        self.pieces = checks.positive_int("pieces", pieces, self)
        self.use_bias = checks.boolean("use_bias", use_bias, self)
        self.kernel_initializer = initializers.get(kernel_initializer, "kernel_initializer", self)
        self.bias_initializer = initializers.get(bias_initializer, "bias_initializer", self)
        self.kernel_regularizer = regularizers.get(kernel_regularizer, "kernel_regularizer", self)
        self.bias_regularizer = regularizers.get(bias_regularizer, "bias_regularizer", self)
        self.kernel_constraint = constraints.get(kernel_constraint, "kernel_constraint", self)
        self.bias_constraint = constraints.get(bias_constraint, "bias_constraint", self)

    def build(self, input_shape: Any) -> None:
        self.require_rank(input_shape, 2, "(batch, ..., features)")
        width = self.units * self.pieces
        self.kernel = self.add_weight(
            shape=(input_shape[-1], width),
            initializer=self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(width,),
                initializer=self.bias_initializer,
                name="bias",
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    def call(self, x: Array) -> Array:
        kernel = self.kernel.value
        self.require_axis(x, -1, kernel.shape[0])
        bias = (self.bias.value,) if self.use_bias else ()
        xp = array_namespace(x, kernel, *bias)
        rows = xp.matmul(xp.reshape(x, (math.prod(x.shape[:-1]), x.shape[-1])), kernel)
        if self.use_bias:
            rows = xp.add(rows, *bias)
        return xp.reshape(activations.maxout(rows, self.pieces), (*x.shape[:-1], self.units))

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.units)
