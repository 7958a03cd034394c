"""Long short-term memory with convolutions: the cell, and the layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from portanet import checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.fused.convolution import convolve
from portanet.fused.windows import Window, window_of
from portanet.layers.rnn.cell import States, loop
from portanet.layers.rnn.lstm import LSTMCell
from portanet.layers.rnn.options import CellOptions, of_cell
from portanet.layers.rnn.rnn import RNN
from portanet.layers.spatial import NAMES


class ConvLSTMCell(LSTMCell):
    """The cell of `ConvLSTM2D` and its kin: an `LSTMCell` whose products are convolutions.

    Args:
        rank: Number of spatial axes.
        filters: Channels of the states.
        kernel_size: Size of both kernels, one for all axes or one per axis.
        strides: Strides of the convolution of the inputs.
        padding: Its padding, `"valid"` or `"same"`.
        data_format: `"channels_last"` or `"channels_first"`.
        dilation_rate: Its distances between neighbouring elements of the kernel.
        **options: As `LSTMCell`.
    """

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        **options: Any,
    ) -> None:
        super().__init__(checks.positive_int("filters", filters, "ConvLSTM"), **options)
        self.rank, self.filters = rank, self.units
        self.kernel_size = checks.integers("kernel_size", kernel_size, rank, self, least=1)
        self.strides = checks.integers("strides", strides, rank, self, least=1)
        self.dilation_rate = checks.integers("dilation_rate", dilation_rate, rank, self, least=1)
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            expected = "1 where `dilation_rate` is greater than 1"
            raise checks.invalid("strides", strides, expected, self)
        self.padding = checks.padding(padding, ("valid", "same"), self)
        self.data_format = checks.data_format(data_format, self)

    def kernel_shapes(self, input_shape: Any) -> tuple[tuple[int, ...], tuple[int, ...]]:
        self.compute_output_shape(input_shape)
        channels = input_shape[-1 if self.data_format == "channels_last" else 1]
        width = self.gates * self.filters
        return (*self.kernel_size, channels, width), (*self.kernel_size, self.filters, width)

    def _window(self, space: Sequence[int]) -> Window:
        return window_of(tuple(space), self.kernel_size, self.strides, self.padding, self.dilation_rate)

    def compute_output_shape(self, input_shape: Any) -> Any:
        first = self.data_format == "channels_first"
        if len(input_shape) != self.rank + 2:
            space = NAMES[self.rank]
            form = f"channels, {space}" if first else f"{space}, channels"
            raise ValueError(
                f"Layer '{self.name}' needs inputs of shape (batch, {form}) in each time step. "
                f"Received: shape {tuple(input_shape)}"
            )
        space = input_shape[2:] if first else input_shape[1:-1]
        known = [1 if n is None else n for n in space]
        counts = self._window(known).positions(known)
        if any(count < 1 for count, n in zip(counts, space, strict=True) if n is not None):
            raise ValueError(
                f"The kernel of layer '{self.name}' does not fit into its inputs. Received: shape {tuple(input_shape)}"
            )
        own = tuple(None if n is None else count for count, n in zip(counts, space, strict=True))
        shape = (input_shape[0], self.filters, *own) if first else (input_shape[0], *own, self.filters)
        return shape, [shape, shape]

    def call(  # type: ignore[override]
        self, x: Array, states: Any, training: bool = False
    ) -> tuple[Array, States]:
        """One time step; see `LSTMCell`."""
        h, states = self.sequence(array_namespace(x).expand_dims(x, axis=0), list(states), None, training)
        return h[0, ...], states

    def sequence(self, x: Array, states: States, mask: Array | None, training: bool) -> tuple[Array, States]:
        x, states = self._channels_last(x, 2), [self._channels_last(state, 1) for state in states]
        outputs, states = super().sequence(x, states, mask, training)
        return self._in_format(outputs, 2), [self._in_format(state, 1) for state in states]

    def fused(self, x: Array, states: States, options: dict[str, Any]) -> tuple[Array, States]:
        """See `RecurrentCell.fused`: the convolution of all inputs at once is faster than many small ones."""
        kernel, recurrent, recurrent_keep = self.kernel.value, self.recurrent_kernel.value, options["recurrent_keep"]
        time, batch = x.shape[:2]
        xp = array_namespace(x, kernel)
        x = xp.reshape(x, (time * batch, *x.shape[2:]))
        a = convolve(x, kernel, self._bias(), window=self._window(x.shape[1:-1]), groups=1)
        a = xp.reshape(a, (time, batch, *a.shape[1:]))
        around = window_of(tuple(a.shape[2:-1]), self.kernel_size, 1, "same", 1)

        def step(a: Array, states: States) -> tuple[Array, States]:
            h, c = states
            h = h if recurrent_keep is None else h * recurrent_keep
            h, c = self._gated(a + convolve(h, recurrent, None, window=around, groups=1), c)
            return h, [h, c]

        return loop(step, a, states, options["mask"], states[0])

    def draw(self, x: Array, training: bool) -> tuple[Array | None, Array | None]:
        if not training:
            return None, None
        _, batch, *space, _ = x.shape
        positions = self._window(space).positions(space)
        return (
            self._keep(x, tuple(x.shape[1:]), self.dropout),
            self._keep(x, (batch, *positions, self.filters), self.recurrent_dropout),
        )

    def _channels_last(self, x: Array, axis: int) -> Array:
        return x if self.data_format == "channels_last" else array_namespace(x).moveaxis(x, axis, -1)

    def _in_format(self, x: Array, axis: int) -> Array:
        return x if self.data_format == "channels_last" else array_namespace(x).moveaxis(x, -1, axis)


class ConvLSTM(CellOptions, RNN):
    """ConvLSTM of any rank."""

    filters, kernel_size, strides = of_cell("filters"), of_cell("kernel_size"), of_cell("strides")
    padding, dilation_rate = of_cell("padding"), of_cell("dilation_rate")

    rank: ClassVar[int] = 2

    def __init__(
        self,
        filters: int,
        kernel_size: int | Sequence[int],
        strides: int | Sequence[int] = 1,
        padding: str = "valid",
        data_format: str | None = None,
        dilation_rate: int | Sequence[int] = 1,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Any = None,
        recurrent_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        recurrent_constraint: Any = None,
        bias_constraint: Any = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: int | None = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **options: Any,
    ) -> None:
        cell = ConvLSTMCell(
            self.rank,
            filters,
            kernel_size,
            strides,
            padding,
            data_format,
            dilation_rate,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            unit_forget_bias=unit_forget_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            **{key: options[key] for key in ("trainable", "dtype") if key in options},
        )
        super().__init__(
            cell,
            return_sequences,
            return_state,
            go_backwards,
            stateful,
            activity_regularizer=activity_regularizer,
            **options,
        )

    @property
    def data_format(self) -> str:
        """`"channels_last"` or `"channels_first"`."""
        return str(self.cell.data_format)


class ConvLSTM1D(ConvLSTM):
    """Long short-term memory whose products are convolutions, over sequences of sequences.

    As `keras.layers.ConvLSTM1D`; see `ConvLSTM2D`.

    Args:
        filters: Channels of the output and of the cell state.
        kernel_size: Length of the kernels.
        strides: Stride of the convolution of the inputs.
        padding: Its padding, `"valid"` or `"same"`.
        **options: The other arguments of `ConvLSTM2D`, in the same order.

    Input: shape (batch, time, steps, channels).
    Output: shape (batch, positions, filters), or (batch, time, positions, filters) with `return_sequences`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.ConvLSTM1D(4, 3)(np.ones((2, 5, 8, 3), dtype="float32")).shape
        (2, 6, 4)
    """

    rank = 1


class ConvLSTM2D(ConvLSTM):
    """Long short-term memory whose products are convolutions, over sequences of images (Shi et al. 2015).

    As `keras.layers.ConvLSTM2D`; an `LSTM` with the gates in the order i, f, c, o.

    Args:
        filters: Channels of the output and of the cell state.
        kernel_size: Height and width of the kernels, or one number for both.
        strides: Strides of the convolution of the inputs; that of the previous output has none.
        padding: Its padding, `"valid"` or `"same"`; that of the previous output keeps the size.
        data_format: `"channels_last"` (the default) or `"channels_first"`.
        dilation_rate: Distances between neighbouring elements of the kernel of the inputs; 1 if strides are not.
        activation: Activation of the candidate and the output.
        recurrent_activation: Activation of the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Initial values of the kernel, shape (*kernel_size, channels, 4 * filters).
        recurrent_initializer: Initial values of the recurrent kernel, shape (*kernel_size, filters, 4 * filters).
        bias_initializer: Initial values of the bias.
        unit_forget_bias: Whether the forget gate's bias starts at 1 (Jozefowicz et al. 2015).
        kernel_regularizer: Name or function: penalty on the kernel, added to the loss.
        recurrent_regularizer: Likewise on the recurrent kernel.
        bias_regularizer: Likewise on the bias.
        activity_regularizer: Likewise on the output, divided by the number of examples.
        kernel_constraint: Name or function applied to the kernel after each update.
        recurrent_constraint: Likewise to the recurrent kernel.
        bias_constraint: Likewise to the bias.
        dropout: In training, the fraction of the inputs to drop, the same in every time step and gate.
        recurrent_dropout: Likewise of the previous output.
        seed: Seed of dropout; by default `portanet.random.get_seed()`.
        return_sequences: As `RNN`.
        return_state: As `RNN`.
        go_backwards: As `RNN`.
        stateful: As `RNN`.
        **options: The other options of `RNN`; `name`, `trainable`, `dtype` of `Layer`.

    Input: shape (batch, time, height, width, channels), or (batch, time, channels, height, width) for
    `"channels_first"`. Output: shape (batch, rows, columns, filters), or (batch, time, rows, columns, filters) with
    `return_sequences`; with `return_state` a tuple of that and the states, each of shape (batch, rows, columns,
    filters).

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.ConvLSTM2D(4, 3, padding="same", return_sequences=True)
        >>> layer(np.ones((2, 5, 8, 9, 3), dtype="float32")).shape
        (2, 5, 8, 9, 4)
    """

    rank = 2


class ConvLSTM3D(ConvLSTM):
    """Long short-term memory whose products are convolutions, over sequences of volumes.

    As `keras.layers.ConvLSTM3D`; see `ConvLSTM2D`.

    Args:
        filters: Channels of the output and of the cell state.
        kernel_size: Depth, height and width of the kernels, or one number for all.
        strides: Strides of the convolution of the inputs.
        padding: Its padding, `"valid"` or `"same"`.
        **options: The other arguments of `ConvLSTM2D`, in the same order.

    Input: shape (batch, time, depth, height, width, channels). Output: the same with the positions of the kernel in
    place of the spatial axes and `filters` channels, without time unless `return_sequences`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.ConvLSTM3D(2, 2)(np.ones((1, 3, 4, 4, 4, 1), dtype="float32")).shape
        (1, 3, 3, 3, 2)
    """

    rank = 3
