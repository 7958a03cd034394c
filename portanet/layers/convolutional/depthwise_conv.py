"""Depthwise convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks, constraints, initializers, regularizers
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.fused.convolution import convolve
from portanet.layers.convolutional.base_conv import Convolving


class ByChannel(Convolving):
    """A layer whose first kernel, shape (*kernel_size, channels, depth_multiplier), filters each channel separately."""

    def __init__(
        self,
        depth_multiplier: int,
        depthwise_initializer: Any,
        depthwise_regularizer: Any,
        depthwise_constraint: Any,
        *arguments: Any,
        **options: Any,
    ) -> None:
        super().__init__(*arguments, **options)
        self.depth_multiplier = checks.positive_int("depth_multiplier", depth_multiplier, self)
        self.depthwise_initializer = initializers.get(depthwise_initializer, "depthwise_initializer", self)
        self.depthwise_regularizer = regularizers.get(depthwise_regularizer, "depthwise_regularizer", self)
        self.depthwise_constraint = constraints.get(depthwise_constraint, "depthwise_constraint", self)

    def add_depthwise(self, name: str) -> Any:
        """Allocate the depthwise kernel."""
        return self.add_weight(
            shape=(*self.kernel_size, self.channels, self.depth_multiplier),
            initializer=self.depthwise_initializer,
            name=name,
            regularizer=self.depthwise_regularizer,
            constraint=self.depthwise_constraint,
        )

    def filtered(self, x: Array, kernel: Array, bias: Array | None, activation: str | None = None) -> Array:
        """The depthwise convolution."""
        xp = array_namespace(x, kernel)
        kernel = xp.reshape(kernel, (*self.kernel_size, 1, self.channels * self.depth_multiplier))
        x, window = self.padded(x)
        return convolve(x, kernel, bias, window=window, groups=self.channels, activation=activation)


class _DepthwiseConv(ByChannel):
    def __init__(
        self,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: Any = "valid",
        depth_multiplier: int = 1,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = None,
        use_bias: bool = True,
        depthwise_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        depthwise_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        depthwise_constraint: Any = None,
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

    def build(self, input_shape: Any) -> None:
        channels = self.channels_of(input_shape)
        self.kernel = self.add_depthwise("kernel")
        self.add_bias((channels * self.depth_multiplier,))

    def call(self, x: Array) -> Array:
        kernel, epilogue = self.kernel.value, self.epilogue
        out = self.filtered(self.channels_last_input(x, kernel), kernel, self.bias_value, epilogue)
        return self.activated_output(out, epilogue)

    def compute_output_shape(self, input_shape: Any) -> Any:
        space = self.positions(self.space_of(input_shape))
        return self.shape_with(input_shape, space, input_shape[self.channel_axis] * self.depth_multiplier)


class DepthwiseConv1D(_DepthwiseConv):
    """Depthwise convolution over a sequence; as `keras.layers.DepthwiseConv1D`.

    Args:
        kernel_size: Length of the kernel.
        **options: The other arguments of `DepthwiseConv2D`, in the same order.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.DepthwiseConv1D(3)(np.ones((2, 10, 3), dtype="float32")).shape
        (2, 8, 3)
    """

    rank = 1


class DepthwiseConv2D(_DepthwiseConv):
    """Depthwise convolution over images: each channel is filtered separately; as `keras.layers.DepthwiseConv2D`.

    Args:
        kernel_size: Height and width of the kernel, or one number for both.
        strides: Strides of the kernel.
        padding: As for `Conv2D`.
        depth_multiplier: Number of filters per channel.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        dilation_rate: Distances between neighbouring elements of the kernel.
        activation: Name or function; None for none.
        use_bias: Whether to add a bias.
        depthwise_initializer: Initial values of the kernel, shape (*kernel_size, channels, depth_multiplier).
        bias_initializer: Initial values of the bias, shape (channels * depth_multiplier,).
        depthwise_regularizer: Penalty on the kernel, added to the loss.
        bias_regularizer: Likewise on the bias.
        activity_regularizer: Likewise on the output, divided by the number of examples.
        depthwise_constraint: Applied to the kernel after each update.
        bias_constraint: Likewise to the bias.
        padding_mode: As for `Conv2D`.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: shape (batch, height, width, channels). Output: the same with channels * depth_multiplier channels, those of
    each input channel adjacent.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.DepthwiseConv2D(3, depth_multiplier=2)(np.ones((2, 5, 5, 3), dtype="float32")).shape
        (2, 3, 3, 6)
    """

    rank = 2
