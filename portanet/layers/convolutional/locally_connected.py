"""Convolutions with a separate kernel at each position."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any

from portanet import checks, constraints, initializers, regularizers
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.fused.windows import pad
from portanet.layers.convolutional.base_conv import Convolving


class _LocallyConnected(Convolving):
    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: Any = "valid",
        data_format: str | None = None,
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
        super().__init__(
            kernel_size,
            strides,
            padding,
            data_format,
            1,
            activation,
            use_bias,
            bias_initializer,
            bias_regularizer,
            activity_regularizer,
            bias_constraint,
            **options,
        )
        self.filters = checks.positive_int("filters", filters, self)
        self.kernel_initializer = initializers.get(kernel_initializer, "kernel_initializer", self)
        self.kernel_regularizer = regularizers.get(kernel_regularizer, "kernel_regularizer", self)
        self.kernel_constraint = constraints.get(kernel_constraint, "kernel_constraint", self)

    def build(self, input_shape: Any) -> None:
        channels = self.channels_of(input_shape)
        self.space = self.positions(self.space_of(input_shape))
        if None in self.space:
            raise ValueError(
                f"Layer '{self.name}' has weights for every position of its input, whose size must be known. "
                f"Received: shape {tuple(input_shape)}"
            )
        positions = math.prod(n for n in self.space if n is not None)
        self.kernel = self.add_weight(
            shape=(positions, math.prod(self.kernel_size) * channels, self.filters),
            initializer=self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.add_bias((*(n for n in self.space if n is not None), self.filters))

    def call(self, x: Array) -> Array:
        kernel = self.kernel.value
        x, windows = self.padded(self.channels_last_input(x, kernel))
        xp = array_namespace(x, kernel)
        counts = windows.positions(x.shape[1:-1])
        if counts != self.space:
            raise ValueError(
                f"Layer '{self.name}' was built for inputs in which its kernel has {self.space} positions. "
                f"Received: an input of shape {tuple(x.shape)}"
            )
        padded = pad(xp, x, windows.padding)
        patches = [padded[windows.key(element, counts)] for element in itertools.product(*map(range, self.kernel_size))]
        columns = xp.reshape(xp.stack(patches, axis=-2), (x.shape[0], *kernel.shape[:2]))
        # A product per position: (positions, batch, inputs) with (positions, inputs, filters).
        out = xp.matmul(xp.permute_dims(columns, (1, 0, 2)), kernel)
        out = xp.reshape(xp.permute_dims(out, (1, 0, 2)), (x.shape[0], *counts, self.filters))
        return self.activated_output(out + self.bias.value if self.use_bias else out)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.shape_with(input_shape, self.positions(self.space_of(input_shape)), self.filters)


class LocallyConnected1D(_LocallyConnected):
    """Like `Conv1D` with a separate kernel at each position; as `keras.layers.LocallyConnected1D` of Keras 2.

    Args:
        filters: Channels of the output.
        kernel_size: Length of each kernel.
        **options: The other arguments of `LocallyConnected2D`, in the same order.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.LocallyConnected1D(4, 3)(np.ones((2, 10, 3), dtype="float32")).shape
        (2, 8, 4)
    """

    rank = 1


class LocallyConnected2D(_LocallyConnected):
    """Like `Conv2D` with a separate kernel at each position; as `keras.layers.LocallyConnected2D` of Keras 2.

    Args:
        filters: Channels of the output.
        kernel_size: Height and width of each kernel, or one number for both.
        strides: Strides of the kernels.
        padding: As for `Conv2D`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        activation: Name or function; None for none.
        use_bias: Whether to add a bias.
        kernel_initializer: Initial values of the kernels, shape (positions, elements * channels, filters).
        bias_initializer: Initial values of the bias, shape (*positions, filters).
        kernel_regularizer: Penalty on the kernels, added to the loss.
        bias_regularizer: Likewise on the bias.
        activity_regularizer: Likewise on the output, divided by the number of examples.
        kernel_constraint: Applied to the kernels after each update.
        bias_constraint: Likewise to the bias.
        padding_mode: As for `Conv2D`.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.LocallyConnected2D(4, 3)(np.ones((2, 5, 6, 3), dtype="float32")).shape
        (2, 3, 4, 4)
    """

    rank = 2
