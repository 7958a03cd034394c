"""Separable convolutions: a depthwise convolution followed by a pointwise one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks, constraints, initializers, regularizers
from portanet.backends import Array
from portanet.fused.convolution import conv_nd
from portanet.layers.convolutional.depthwise_conv import ByChannel


class _SeparableConv(ByChannel):
    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: Any = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        depth_multiplier: int = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        pointwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        pointwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
        pointwise_constraint: Any = None,
        bias_constraint: Any = None,
        **options: Any,
    ) -> None:
        super().__init__(
            depth_multiplier,
            depthwise_initializer,
            depthwise_regularizer,
            depthwise_constraint,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation,
            use_bias,
            bias_initializer,
            bias_regularizer,
            activity_regularizer,
            bias_constraint,
            **options,
        )
        self.filters = checks.positive_int("filters", filters, self)
        self.pointwise_initializer = initializers.get(pointwise_initializer, "pointwise_initializer", self)
        self.pointwise_regularizer = regularizers.get(pointwise_regularizer, "pointwise_regularizer", self)
        self.pointwise_constraint = constraints.get(pointwise_constraint, "pointwise_constraint", self)

    def build(self, input_shape: Any) -> None:
        channels = self.channels_of(input_shape)
        self.depthwise_kernel = self.add_depthwise("depthwise_kernel")
        self.pointwise_kernel = self.add_weight(
            shape=(*(1,) * self.rank, channels * self.depth_multiplier, self.filters),
            initializer=self.pointwise_initializer,
            name="pointwise_kernel",
            regularizer=self.pointwise_regularizer,
            constraint=self.pointwise_constraint,
        )
        self.add_bias((self.filters,))

    def call(self, x: Array) -> Array:
        kernel = self.depthwise_kernel.value
        x = self.filtered(self.channels_last_input(x, kernel), kernel, None)
        out = conv_nd(x, self.pointwise_kernel.value, self.bias_value, activation=self.epilogue)
        return self.activated_output(out, self.epilogue)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.shape_with(input_shape, self.positions(self.space_of(input_shape)), self.filters)


class SeparableConv1D(_SeparableConv):
    """Depthwise convolution over a sequence, then a pointwise one; as `keras.layers.SeparableConv1D`.

    Args:
        filters: Channels of the output.
        kernel_size: Length of the depthwise kernel.
        **options: The other arguments of `SeparableConv2D`, in the same order.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.SeparableConv1D(4, 3)(np.ones((2, 10, 3), dtype="float32")).shape
        (2, 8, 4)
    """

    rank = 1


class SeparableConv2D(_SeparableConv):
    """Depthwise convolution over images, then a pointwise one; as `keras.layers.SeparableConv2D`.

    Args:
        filters: Channels of the output.
        kernel_size: Height and width of the depthwise kernel, or one number for both.
        strides: Strides of the depthwise kernel.
        padding: As for `Conv2D`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        dilation_rate: Distances between neighbouring elements of the depthwise kernel.
        depth_multiplier: Number of depthwise filters per channel.
        activation: Name or function; None for none.
        use_bias: Whether to add a bias.
        depthwise_initializer: Initial values of the depthwise kernel, shape (*kernel_size, channels, depth_multiplier).
        pointwise_initializer: Of the pointwise kernel, shape (1, 1, channels * depth_multiplier, filters).
        bias_initializer: Of the bias, shape (filters,).
        depthwise_regularizer: Penalty on the depthwise kernel, added to the loss.
        pointwise_regularizer: Likewise on the pointwise kernel.
        bias_regularizer: Likewise on the bias.
        activity_regularizer: Likewise on the output, divided by the number of examples.
        depthwise_constraint: Applied to the depthwise kernel after each update.
        pointwise_constraint: Likewise to the pointwise kernel.
        bias_constraint: Likewise to the bias.
        padding_mode: As for `Conv2D`.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: shape (batch, height, width, channels). Output: the same with `filters` channels.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.SeparableConv2D(4, 3)(np.ones((2, 5, 5, 3), dtype="float32")).shape
        (2, 3, 3, 4)
    """

    rank = 2
