"""Convolution layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks, constraints, initializers, regularizers
from portanet.autodiff import array_namespace
from portanet.backends import Array, held
from portanet.configurable import overrides
from portanet.fused.convolution import convolve
from portanet.layers.convolutional.base_conv import Convolving


class Conv(Convolving):
    """Convolution of any rank."""

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: Any = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        groups: int = 1,
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
        self.filters = checks.positive_int("filters", filters, self)
        self.groups = checks.positive_int("groups", groups, self)
        if self.filters % self.groups:
            raise checks.invalid("filters", filters, f"a multiple of groups={groups}", self)
        self.kernel_initializer = initializers.get(kernel_initializer, "kernel_initializer", self)
        self.kernel_regularizer = regularizers.get(kernel_regularizer, "kernel_regularizer", self)
        self.kernel_constraint = constraints.get(kernel_constraint, "kernel_constraint", self)

    def build(self, input_shape: Any) -> None:
        channels = self.channels_of(input_shape)
        if channels % self.groups:
            raise ValueError(
                f"Layer '{self.name}' divides the input's channels into {self.groups} groups of equal size. "
                f"Received: an input of shape {tuple(input_shape)}"
            )
        self.kernel = self.add_weight(
            shape=(*self.kernel_size, channels // self.groups, self.filters),
            initializer=self.kernel_initializer,
            name="kernel",
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.add_bias((self.filters,))

    def call(self, x: Array) -> Array:
        if overrides(type(self), Conv, "convolution_op"):
            return self._with_own_convolution(x)
        kernel = self.kernel.value
        x, window = self.padded(self.channels_last_input(x, kernel))
        epilogue = self.epilogue
        out = convolve(x, kernel, self.bias_value, window=window, groups=self.groups, activation=epilogue)
        return self.activated_output(out, epilogue)

    def convolution_op(self, inputs: Array, kernel: Any) -> Array:
        """The convolution alone, without bias and activation; subclasses may override it, as in Keras.

        Args:
            inputs: The input of the layer.
            kernel: An array or variable of the shape of `self.kernel`, which `call` passes.

        Example:
            >>> import numpy as np
            >>> from portanet import layers
            >>> class Centred(layers.Conv1D):
            ...     def convolution_op(self, inputs, kernel):
            ...         return super().convolution_op(inputs, kernel - 1.0)
            >>> float(Centred(1, 1, kernel_initializer="ones")(np.ones((1, 1, 1), dtype="float32"))[0, 0, 0])
            0.0
        """
        kernel = held(kernel)
        x, window = self.padded(self.channels_last_input(inputs, kernel))
        out = convolve(x, kernel, None, window=window, groups=self.groups)
        return out if self.data_format == "channels_last" else array_namespace(out).moveaxis(out, -1, 1)

    def _with_own_convolution(self, x: Array) -> Array:
        """The output where a subclass overrides `convolution_op`."""
        out, bias = self.convolution_op(x, self.kernel), self.bias_value
        if bias is not None:
            channels_first = self.data_format == "channels_first"
            xp = array_namespace(bias)
            out = out + (xp.reshape(bias, (-1, *(1,) * self.rank)) if channels_first else bias)
        return self.activation(out)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return self.shape_with(input_shape, self.positions(self.space_of(input_shape)), self.filters)


class Conv1D(Conv):
    """Convolution over a sequence; as `keras.layers.Conv1D`.

    Args:
        filters: Number of filters, the channels of the output.
        kernel_size: Length of the kernel.
        strides: Strides of the kernel.
        padding: `"valid"`, `"same"`, `"full"`, `"causal"` (outputs do not depend on later steps), or numbers of zeros:
            an integer or a pair (before, after).
        **options: The other arguments of `Conv2D`, in the same order.

    Input: shape (batch, steps, channels). Output: shape (batch, positions, filters), dtype of the input.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Conv1D(4, 3, padding="causal")(np.ones((2, 10, 3), dtype="float32")).shape
        (2, 10, 4)
    """

    rank = 1


class Conv2D(Conv):
    """Convolution over images; as `keras.layers.Conv2D` (LeCun et al. 1989).

    Args:
        filters: Number of filters, the channels of the output.
        kernel_size: Height and width of the kernel, or one number for both.
        strides: Strides of the kernel.
        padding: `"valid"`, `"same"`, `"full"` (every position that overlaps the image), or numbers of zeros: an
            integer, or for each axis an integer or a pair (before, after).
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        dilation_rate: Distances between neighbouring elements of the kernel.
        groups: Number of groups of channels that are convolved separately.
        activation: Name or function; None for none.
        use_bias: Whether to add a bias.
        kernel_initializer: Initial values of the kernel, shape (*kernel_size, channels / groups, filters).
        bias_initializer: Initial values of the bias, shape (filters,).
        kernel_regularizer: Penalty on the kernel, added to the loss.
        bias_regularizer: Likewise on the bias.
        activity_regularizer: Likewise on the output, divided by the number of examples.
        kernel_constraint: Applied to the kernel after each update.
        bias_constraint: Likewise to the bias.
        padding_mode: What `padding` consists of, as in PyTorch: `"zeros"`; `"reflect"`, mirrored at the first and last
            elements; `"replicate"`, these elements; or `"circular"`, elements of the other end.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: shape (batch, height, width, channels), or (batch, channels, height, width) for `"channels_first"`.
    Output: the same with `filters` channels, dtype of the input.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Conv2D(8, 3, strides=2, activation="relu")(np.ones((2, 9, 9, 3), dtype="float32")).shape
        (2, 4, 4, 8)
    """

    rank = 2


class Conv3D(Conv):
    """Convolution over volumes; as `keras.layers.Conv3D`.

    Args:
        filters: Number of filters, the channels of the output.
        kernel_size: Depth, height and width of the kernel, or one number for all.
        strides: Strides of the kernel.
        padding: As for `Conv2D`.
        **options: The other arguments of `Conv2D`, in the same order.

    Input: shape (batch, depth, height, width, channels). Output: the same with `filters` channels, dtype of the input.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Conv3D(4, 2)(np.ones((2, 4, 5, 6, 3), dtype="float32")).shape
        (2, 3, 4, 5, 4)
    """

    rank = 3
