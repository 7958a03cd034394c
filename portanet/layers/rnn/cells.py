"""Recurrent cells: what happens in one time step."""

from __future__ import annotations

from typing import Any

from portanet import activations
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.rnn.cell import RecurrentCell, States, plain_options, require_size
from portanet.ops.recurrent_gru import gru, gru_reset_before
from portanet.ops.recurrent_lstm import lstm
from portanet.ops.recurrent_simple import simple_rnn


class SimpleRNNCell(RecurrentCell):
    """h' = activation(x @ kernel + h @ recurrent_kernel + bias); as `keras.layers.SimpleRNNCell`.

    Args:
        units: Size of the output.
        activation: Name or function.
        use_bias: Whether to add a bias.
        **options: Initializers, regularizers, constraints, `dropout`, `recurrent_dropout`, `seed` of `RecurrentCell`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> output, states = layers.SimpleRNNCell(4)(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
        >>> output.shape
        (2, 4)
    """

    def __init__(self, units: int, activation: Any = "tanh", use_bias: bool = True, **options: Any) -> None:
        super().__init__(units, activation, use_bias, **options)

    def step(self, x: Array, states: States, recurrent_keep: Array | None) -> tuple[Array, States]:
        h = self.activation(self._sum(x, states[0], recurrent_keep))
        return h, [h]

    def fused(self, x: Array, states: States, options: dict[str, Any]) -> tuple[Array, States] | None:
        if self.activation is not activations.tanh:
            return None
        h, last = simple_rnn(
            x, self.kernel.value, self.recurrent_kernel.value, self._bias(), states[0], **plain_options(options)
        )
        return h, [last]


class LSTMCell(RecurrentCell):
    """Long short-term memory (Hochreiter and Schmidhuber 1997); as `keras.layers.LSTMCell`.

    The gates are in the order i, f, c, o.

    Args:
        units: Size of the cell state, and of the output unless it is projected.
        activation: Activation of the input and the output.
        recurrent_activation: Activation of the gates.
        use_bias: Whether to add a bias.
        unit_forget_bias: Whether the forget gate's bias starts at 1 (Jozefowicz et al. 2015).
        peephole: Whether the gates see the cell state (Gers et al. 2002), by a weight of shape (3, units) for i, f, o.
        projection_units: If given, the output is multiplied by a kernel of shape (units, projection_units) (Sak et al.
            2014).
        **options: Initializers, regularizers, constraints, `dropout`, `recurrent_dropout`, `seed` of `RecurrentCell`.

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
        unit_forget_bias: bool = True,
        peephole: bool = False,
        projection_units: int | None = None,
        **options: Any,
    ) -> None:
        super().__init__(units, activation, use_bias, **options)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.unit_forget_bias = unit_forget_bias
        self.peephole = peephole
        self.projection_units = (
            None if projection_units is None else require_size(self, "projection_units", projection_units)
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
            self.peephole_kernel = self.add_weight((3, self.units), "zeros", "peephole_kernel")
        if self.projection_units:
            self.projection_kernel = self.add_weight(
                (self.units, self.projection_units), self.kernel_initializer, "projection_kernel"
            )

    def step(self, x: Array, states: States, recurrent_keep: Array | None) -> tuple[Array, States]:
        h, c = states
        a = self._sum(x, h, recurrent_keep)
        n = self.units
        a_i, a_f, a_c, a_o = (a[:, k * n : (k + 1) * n] for k in range(4))
        if self.peephole:
            p = self.peephole_kernel.value
            a_i, a_f = a_i + c * p[0, :], a_f + c * p[1, :]
        c = self.recurrent_activation(a_f) * c + self.recurrent_activation(a_i) * self.activation(a_c)
        if self.peephole:
            a_o = a_o + c * p[2, :]
        h = self.recurrent_activation(a_o) * self.activation(c)
        if self.projection_units:
            projection = self.projection_kernel.value
            h = array_namespace(h, projection).matmul(h, projection)
        return h, [h, c]

    def fused(self, x: Array, states: States, options: dict[str, Any]) -> tuple[Array, States] | None:
        standard = self.activation is activations.tanh and self.recurrent_activation is activations.sigmoid
        if not standard or self.peephole or self.projection_units:
            return None
        h, *last = lstm(
            x, self.kernel.value, self.recurrent_kernel.value, self._bias(), *states, **plain_options(options)
        )
        return h, last


class GRUCell(RecurrentCell):
    """Gated recurrent unit (Cho et al. 2014); as `keras.layers.GRUCell`, gates in the order z, r, h.

    Args:
        units: Size of the output.
        activation: Activation of the candidate.
        recurrent_activation: Activation of the gates.
        use_bias: Whether to add a bias.
        reset_after: Whether the reset gate acts after the product with the recurrent kernel, as in cuDNN, with a
            second bias (shape (2, 3 units)); False is the paper's convention.
        **options: Initializers, regularizers, constraints, `dropout`, `recurrent_dropout`, `seed` of `RecurrentCell`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> output, states = layers.GRUCell(4)(np.ones((2, 3), "float32"), [np.zeros((2, 4), "float32")])
        >>> output.shape
        (2, 4)
    """

    gates = 3

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        reset_after: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(units, activation, use_bias, **options)
        self.recurrent_activation = activations.get(recurrent_activation)
        self.reset_after = reset_after

    def bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def _biases(self) -> tuple[Array | None, Array | None]:
        """Of the inputs and of the recurrence."""
        if not self.use_bias:
            return None, None
        bias = self.bias.value
        return (bias[0, :], bias[1, :]) if self.reset_after else (bias, None)

    def step(self, x: Array, states: States, recurrent_keep: Array | None) -> tuple[Array, States]:
        (h,), n = states, self.units
        kernel, recurrent = self.kernel.value, self.recurrent_kernel.value
        xp = array_namespace(x, kernel, h)
        bias, recurrent_bias = self._biases()
        a = xp.matmul(x, kernel)
        if bias is not None:
            a = a + bias
        dropped = h if recurrent_keep is None else h * recurrent_keep
        b = xp.matmul(dropped, recurrent if self.reset_after else recurrent[:, : 2 * n])
        if recurrent_bias is not None:
            b = b + recurrent_bias
        gates = self.recurrent_activation(a[:, : 2 * n] + b[:, : 2 * n])
        update, reset = gates[:, :n], gates[:, n:]
        inner = reset * b[:, 2 * n :] if self.reset_after else xp.matmul(reset * dropped, recurrent[:, 2 * n :])
        candidate = self.activation(a[:, 2 * n :] + inner)
        h = update * h + (1 - update) * candidate
        return h, [h]

    def fused(self, x: Array, states: States, options: dict[str, Any]) -> tuple[Array, States] | None:
        if self.activation is not activations.tanh or self.recurrent_activation is not activations.sigmoid:
            return None
        kernel, recurrent = self.kernel.value, self.recurrent_kernel.value
        if self.reset_after:
            h, last = gru(x, kernel, recurrent, *self._biases(), states[0], **plain_options(options))
        else:
            h, last = gru_reset_before(x, kernel, recurrent, self._bias(), states[0], **plain_options(options))
        return h, [last]


class JordanCell(RecurrentCell):
    """Recurrence through the output (Jordan 1986): what the network said is what it remembers.

    h = activation(x @ kernel + y @ recurrent_kernel + bias); y' = output_activation(h @ output_kernel + output_bias).

    Args:
        units: Size of the hidden layer.
        output_units: Size of the output, which is the state.
        activation: Activation of the hidden layer.
        output_activation: Activation of the output.
        use_bias: Whether to add biases.
        **options: Initializers, regularizers, constraints, `dropout`, `recurrent_dropout`, `seed` of `RecurrentCell`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> output, states = layers.JordanCell(8, 2)(np.ones((4, 3), "float32"), [np.zeros((4, 2), "float32")])
        >>> output.shape
        (4, 2)
    """

    def __init__(
        self,
        units: int,
        output_units: int,
        activation: Any = "tanh",
        output_activation: Any = None,
        use_bias: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(units, activation, use_bias, **options)
        self.output_units = require_size(self, "output_units", output_units)
        self.output_activation = activations.get(output_activation)

    @property
    def state_size(self) -> list[int]:
        return [self.output_units]

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.output_kernel = self.add_weight((self.units, self.output_units), self.kernel_initializer, "output_kernel")
        if self.use_bias:
            self.output_bias = self.add_weight((self.output_units,), self.bias_initializer, "output_bias")

    def step(self, x: Array, states: States, recurrent_keep: Array | None) -> tuple[Array, States]:
        h = self.activation(self._sum(x, states[0], recurrent_keep))
        kernel = self.output_kernel.value
        y = array_namespace(h, kernel).matmul(h, kernel)
        y = self.output_activation(y + self.output_bias.value if self.use_bias else y)
        return y, [y]

    def taught(self, x: Array, before: Array, training: bool) -> Array:
        """The outputs of a sequence, given the output to remember in each step: arrays (time, batch, ...)."""
        xp = array_namespace(x, before, self.kernel.value)
        input_keep, recurrent_keep = self.draw(x, training)
        x = x if input_keep is None else x * input_keep
        before = before if recurrent_keep is None else before * recurrent_keep
        time, batch = x.shape[:2]
        rows = [xp.reshape(each, (time * batch, each.shape[-1])) for each in (x, before)]
        y, _ = self.step(rows[0], rows[1:], None)
        return xp.reshape(y, (time, batch, y.shape[-1]))
