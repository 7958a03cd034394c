"""The base class of convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks, constraints, initializers, regularizers
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.fused.windows import EXTENSIONS, Window, extend, window_of
from portanet.layers.activations.attribute import HasActivation
from portanet.layers.spatial import Spatial


class Convolving(HasActivation, Spatial):
    """A layer with a kernel that slides over space: its arguments, its bias and its activation.

    Args:
        kernel_size: Size of the kernel, one for all axes or one per axis.
        strides: Strides of the kernel.
        padding: `"valid"` (none), `"same"` (outputs of the input's size, divided by the strides), `"full"` (every
            position that overlaps the input), for sequences also `"causal"` (outputs do not depend on later steps); or
            explicit: an integer, or for each axis an integer or a pair (before, after).
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        dilation_rate: Distances between neighbouring elements of the kernel.
        activation: Name or function; None for none.
        use_bias: Whether to add a bias.
        bias_initializer: Initial values of the bias.
        bias_regularizer: Penalty on the bias.
        activity_regularizer: Penalty on the output, divided by the number of examples.
        bias_constraint: Applied to the bias after each update.
        padding_mode: What `padding` consists of, as in PyTorch: `"zeros"`; `"reflect"`, mirrored at the first and last
            elements; `"replicate"`, these elements; or `"circular"`, elements of the other end.
        **options: `name`, `trainable`, `dtype` of `Layer`.
    """

    keeps_values = False
    casts_integers = True
    bias: Any = None
    padding_modes: tuple[str, ...] = ("zeros", *EXTENSIONS)
    """What `padding_mode` may be."""

    def __init__(
        self,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int],
        padding: Any,
        data_format: str | None,
        dilation_rate: int | Sequence[int],
        activation: Any,
        use_bias: bool,
        bias_initializer: Any,
        bias_regularizer: Any,
        activity_regularizer: Any,
        bias_constraint: Any,
        padding_mode: str = "zeros",
        **options: Any,
    ) -> None:
        super().__init__(data_format, activity_regularizer=activity_regularizer, **options)
        self.kernel_size = checks.integers("kernel_size", kernel_size, self.rank, self, least=1)
        self.strides = checks.integers("strides", strides, self.rank, self, least=1)
        self.dilation_rate = checks.integers("dilation_rate", dilation_rate, self.rank, self, least=1)
        if isinstance(padding, str):
            names = ("valid", "same", "full", "causal") if self.rank == 1 else ("valid", "same", "full")
            self.padding: Any = checks.padding(padding, names, self)
        else:
            self.padding = checks.pairs("padding", padding, self.rank, self)
        self.padding_mode = checks.choice("padding_mode", padding_mode, self.padding_modes, self)
        self.activation = activation
        self.use_bias = checks.boolean("use_bias", use_bias, self)
        self.bias_initializer = initializers.get(bias_initializer, "bias_initializer", self)
        self.bias_regularizer = regularizers.get(bias_regularizer, "bias_regularizer", self)
        self.bias_constraint = constraints.get(bias_constraint, "bias_constraint", self)

    @property
    def channel_axis(self) -> int:
        """The axis of the channels."""
        return -1 if self.data_format == "channels_last" else 1

    def channels_of(self, input_shape: Any) -> int:
        """The number of input channels, which must be known to build the layer."""
        self.require_space(input_shape)
        channels = input_shape[self.channel_axis]
        if channels is None:
            raise ValueError(
                f"Layer '{self.name}' needs a known number of channels. Received: shape {tuple(input_shape)}"
            )
        self.compute_output_shape(input_shape)
        self.channels = int(channels)
        return self.channels

    def add_bias(self, shape: tuple[int, ...]) -> None:
        """Allocate the bias, if the layer uses one."""
        if self.use_bias:
            self.bias = self.add_weight(
                shape=shape,
                initializer=self.bias_initializer,
                name="bias",
                regularizer=self.bias_regularizer,
                constraint=self.bias_constraint,
            )

    @property
    def bias_value(self) -> Array | None:
        """The bias, or None."""
        return self.bias.value if self.use_bias else None

    def channels_last_input(self, x: Array, like: Array) -> Array:
        """The input with channels last."""
        self.require_space(x.shape)
        self.require_axis(x, self.channel_axis, self.channels)
        return x if self.data_format == "channels_last" else array_namespace(x, like).moveaxis(x, 1, -1)

    def activated_output(self, x: Array, activated: str | None = None) -> Array:
        """The activated output with channels on the input's axis; `activated` is what was applied already."""
        if activated is None:
            x = self.activation(x)
        return x if self.data_format == "channels_last" else array_namespace(x).moveaxis(x, -1, 1)

    def window_over(self, space: Sequence[int]) -> Window:
        """The window of the kernel for a spatial size."""
        return window_of(tuple(space), self.kernel_size, self.strides, self.padding, self.dilation_rate)

    def padded(self, x: Array) -> tuple[Array, Window]:
        """The input and the window over it; other padding than zeros is a part of the input."""
        window = self.window_over(x.shape[1:-1])
        if self.padding_mode == "zeros":
            return x, window
        try:
            return extend(array_namespace(x), x, window.padding, self.padding_mode), window.inside
        except ValueError as error:
            raise ValueError(f"Layer '{self.name}' pads its input. {error}") from None

    def positions(self, space: Sequence[int | None]) -> tuple[int | None, ...]:
        """The number of kernel positions on each axis; None where the size is unknown."""
        known = [1 if n is None else n for n in space]
        windows = self.window_over(known)
        counts = windows.positions(known)
        if any(count < 1 for n, count in zip(space, counts, strict=True) if n is not None):
            raise ValueError(
                f"The kernel of layer '{self.name}', which spans {windows.spans}, does not fit into the input. "
                f"Received: an input of size {tuple(space)}, padding={self.padding!r}"
            )
        return tuple(None if n is None else count for n, count in zip(space, counts, strict=True))

    def shape_with(self, input_shape: Any, space: Sequence[int | None], channels: int) -> Any:
        """The output shape for a spatial size and a number of channels."""
        if self.data_format == "channels_last":
            return (input_shape[0], *space, channels)
        return (input_shape[0], channels, *space)

    def space_of(self, input_shape: Any) -> list[int | None]:
        """The input's spatial size."""
        self.require_space(input_shape)
        return [input_shape[axis] for axis in self.axes]
