"""Transposed convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks, constraints, initializers, regularizers
from portanet.backends import Array
from portanet.fused.convolution import conv_transpose_nd, transposed_cropping, transposed_space
from portanet.layers.convolutional.base_conv import Convolving


class _ConvTranspose(Convolving):
    padding_modes = ("zeros",)

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        output_padding: int | Sequence[int] | None = None,
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
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
            dilation_rate,
            activation,
            use_bias,
            bias_initializer,
            bias_regularizer,
            activity_regularizer,
            bias_constraint,
            **options,
        )
        checks.choice("padding", self.padding, ("valid", "same"), self)
        self.output_padding = (
            None
            if output_padding is None
            else checks.integers("output_padding", output_padding, self.rank, self, least=0)
        )
        if any(extra >= s for extra, s in zip(self.output_padding or (), self.strides, strict=False)):
            expected = f"less than strides={strides} on every axis"
            raise checks.invalid("output_padding", output_padding, expected, self)
        self.filters = checks.positive_int("filters", filters, self)
        self.kernel_initializer = initializers.get(kernel_initializer, "kernel_initializer", self)
        self.kernel_regularizer = regularizers.get(kernel_regularizer, "kernel_regularizer", self)
        self.kernel_constraint = constraints.get(kernel_constraint, "kernel_constraint", self)

    def build(self, input_shape: Any) -> None:
        channels = self.channels_of(input_shape)
        self.kernel = self.add_weight(
            shape=(*self.kernel_size, self.filters, channels),
            initializer=self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.add_bias((self.filters,))

    def call(self, x: Array) -> Array:
        kernel = self.kernel.value
        x = self.channels_last_input(x, kernel)
        space = self.positions(x.shape[1:-1])
        before = transposed_cropping(
            self.kernel_size, self.strides, self.padding, self.output_padding, self.dilation_rate
        )
        cropping = tuple((n, 0) for n in before)
        return self.activated_output(
            conv_transpose_nd(x, kernel, self.bias_value, self.strides, cropping, self.dilation_rate, space=space)
        )

    def positions(self, space: Sequence[int | None]) -> tuple[Any, ...]:
        """The spatial size of the output."""
        return transposed_space(
            space, self.kernel_size, self.strides, self.padding, self.output_padding, self.dilation_rate
        )

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.shape_with(input_shape, self.positions(self.space_of(input_shape)), self.filters)


class Conv1DTranspose(_ConvTranspose):
    """Transposed convolution over a sequence; as `keras.layers.Conv1DTranspose`.

    Args:
        filters: Channels of the output.
        kernel_size: Length of the kernel.
        **options: The other arguments of `Conv2DTranspose`, in the same order.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Conv1DTranspose(4, 3, strides=2)(np.ones((2, 5, 3), dtype="float32")).shape
        (2, 11, 4)
    """

    rank = 1


class Conv2DTranspose(_ConvTranspose):
    """Transposed convolution over images; as `keras.layers.Conv2DTranspose`.

    Args:
        filters: Channels of the output.
        kernel_size: Height and width of the kernel, or one number for both.
        strides: Distances in the output between neighbouring inputs.
        padding: `"valid"`: the full output; `"same"`: strides times the input's size.
        output_padding: Elements to add to the smallest output size, less than the strides; None: as `padding`.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        dilation_rate: Distances between neighbouring elements of the kernel.
        activation: Name or function; None for none.
        use_bias: Whether to add a bias.
        kernel_initializer: Initial values of the kernel, shape (*kernel_size, filters, channels).
        bias_initializer: Initial values of the bias, shape (filters,).
        kernel_regularizer: Penalty on the kernel, added to the loss.
        bias_regularizer: Likewise on the bias.
        activity_regularizer: Likewise on the output, divided by the number of examples.
        kernel_constraint: Applied to the kernel after each update.
        bias_constraint: Likewise to the bias.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Conv2DTranspose(4, 3, strides=2, padding="same")(np.ones((2, 5, 5, 3), dtype="float32")).shape
        (2, 10, 10, 4)
    """

    rank = 2


class Conv3DTranspose(_ConvTranspose):
    """Transposed convolution over volumes; as `keras.layers.Conv3DTranspose`.

    Args:
        filters: Channels of the output.
        kernel_size: Depth, height and width of the kernel, or one number for all.
        strides: Distances in the output between neighbouring inputs.
        padding: `"valid"` or `"same"`.
        data_format: `"channels_last"` (the default) or `"channels_first"`; before `output_padding`, as in Keras.
        output_padding: See `Conv2DTranspose`.
        dilation_rate: Distances between neighbouring elements of the kernel.
        activation: Name or function; None for none.
        use_bias: Whether to add a bias.
        **options: The other arguments of `Conv2DTranspose`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Conv3DTranspose(4, 2)(np.ones((2, 3, 3, 3, 2), dtype="float32")).shape
        (2, 4, 4, 4, 4)
    """

    rank = 3

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        output_padding: int | Sequence[int] | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = None,
        use_bias: bool = True,
        **options: Any,
    ) -> None:
        further = dilation_rate, activation, use_bias
        super().__init__(filters, kernel_size, strides, padding, output_padding, data_format, *further, **options)
