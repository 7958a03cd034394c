"""Long short-term memory: the cell, and the layer."""

from __future__ import annotations

from typing import Any

from portanet import activations, checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.fused.recurrent_lstm import lstm
from portanet.layers.rnn.cell import RecurrentCell, States, plain_options
from portanet.layers.rnn.options import CellOptions, divide_options, require_implementation
from portanet.layers.rnn.rnn import RNN


class LSTMCell(RecurrentCell):
    """Long short-term memory (Hochreiter and Schmidhuber 1997); as `keras.layers.LSTMCell`.

    The gates are in the order i, f, c, o.

    Args:
        units: Size of the cell state, and of the output unless it is projected.
        activation: Activation of the candidate and the output.
        recurrent_activation: Activation of the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Initial values of the kernel.
        recurrent_initializer: Initial values of the recurrent kernel.
        bias_initializer: Initial values of the bias.
        unit_forget_bias: Whether the forget gate's bias starts at 1 (Jozefowicz et al. 2015).
        peephole: Whether gates use the cell state (Gers et al. 2002), by a weight of shape (3, units) for i, f, o.
        projection_units: If given, the output is multiplied by a kernel of shape (units, projection_units) (Sak et al.
            2014).
        **options: Regularizers, constraints, `dropout`, `recurrent_dropout`, `seed` of `RecurrentCell`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> cell, zeros = layers.LSTMCell(4), np.zeros((2, 4), "float32")
        >>> output, (h, c) = cell(np.ones((2, 3), "float32"), [zeros, zeros])
        >>> c.shape
        (2, 4)
    """

    gates = 4

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        *,
        peephole: bool = False,
        projection_units: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, **options
        )
        self.recurrent_activation = activations.get(recurrent_activation, "recurrent_activation", self)
        self.unit_forget_bias = checks.boolean("unit_forget_bias", unit_forget_bias, self)
        self.peephole = checks.boolean("peephole", peephole, self)
        self.projection_units = (
            None if projection_units is None else checks.positive_int("projection_units", projection_units, self)
        )

    @property
    def state_size(self) -> list[int]:
        return [self.projection_units or self.units, self.units]

    def build(self, input_shape: Any) -> None:
        inner = self.bias_initializer
        if self.unit_forget_bias:

            def with_ones(shape: tuple[int, ...], generator: Any) -> Any:
                bias = inner(shape, generator)
                bias[self.units : 2 * self.units] = 1.0
                return bias

            self.bias_initializer = with_ones
        super().build(input_shape)
        self.bias_initializer = inner
        if self.peephole:
            self.peephole_kernel = self.add_weight(shape=(3, self.units), initializer="zeros", name="peephole_kernel")
        if self.projection_units:
            self.projection_kernel = self.add_weight(
                shape=(self.units, self.projection_units), initializer=self.kernel_initializer, name="projection_kernel"
            )

    def step(self, x: Array, states: States, recurrent_keep: Array | None) -> tuple[Array, States]:
        h, c = states
        h, c = self._gated(self._sum(x, h, recurrent_keep), c)
        if self.projection_units:
            projection = self.projection_kernel.value
            h = array_namespace(h, projection).matmul(h, projection)
        return h, [h, c]

    def _gated(self, a: Array, c: Array) -> tuple[Array, Array]:
        """The output and the cell state, from the sums at the gates and the previous cell state."""
        n = self.units
        a_i, a_f, a_c, a_o = (a[..., k * n : (k + 1) * n] for k in range(4))
        if self.peephole:
            p = self.peephole_kernel.value
            a_i, a_f = a_i + c * p[0, :], a_f + c * p[1, :]
        c = self.recurrent_activation(a_f) * c + self.recurrent_activation(a_i) * self.activation(a_c)
        if self.peephole:
            a_o = a_o + c * p[2, :]
        return self.recurrent_activation(a_o) * self.activation(c), c

    def fused(self, x: Array, states: States, options: dict[str, Any]) -> tuple[Array, States] | None:
        standard = self.activation is activations.tanh and self.recurrent_activation is activations.sigmoid
        if not standard or self.peephole or self.projection_units:
            return None
        h, *last = lstm(
            x, self.kernel.value, self.recurrent_kernel.value, self._bias(), *states, **plain_options(options)
        )
        return h, last


class LSTM(CellOptions, RNN):
    """Long short-term memory; as `keras.layers.LSTM`, gates in the order i, f, c, o.

    Args:
        units: Size of the cell state, and of the output unless it is projected.
        activation: Activation of the candidate and the output.
        recurrent_activation: Activation of the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Initial values of the kernel.
        recurrent_initializer: Initial values of the recurrent kernel.
        bias_initializer: Initial values of the bias.
        unit_forget_bias: Whether the forget gate's bias starts at 1.
        peephole: Whether the gates use the cell state.
        projection_units: If given, the size of the projected output.
        use_cudnn: For Keras's scripts; every backend chooses the faster way itself.
        implementation: Likewise.
        **options: As `SimpleRNN`.

    Input and output: as `RNN`; the states are the output h and the cell state c.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer = layers.LSTM(4, return_sequences=True, return_state=True)
        >>> [x.shape for x in layer(np.ones((2, 5, 3), dtype="float32"))]
        [(2, 5, 4), (2, 4), (2, 4)]
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        unit_forget_bias: bool = True,
        *,
        peephole: bool = False,
        projection_units: int | None = None,
        use_cudnn: bool | str = "auto",
        implementation: int | None = None,
        **options: Any,
    ) -> None:
        require_implementation(use_cudnn, implementation, type(self))
        cell, loop = divide_options(options)
        super().__init__(
            LSTMCell(
                *(units, activation, recurrent_activation, use_bias),
                *(kernel_initializer, recurrent_initializer, bias_initializer, unit_forget_bias),
                peephole=peephole,
                projection_units=projection_units,
                **cell,
            ),
            **loop,
        )
        self.use_cudnn = use_cudnn
