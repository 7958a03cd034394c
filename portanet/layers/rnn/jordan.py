"""Jordan networks, with recurrence through the output: the cell, and the layer."""

from __future__ import annotations

from typing import Any

from portanet import activations, checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.rnn.cell import RecurrentCell, States
from portanet.layers.rnn.options import divide_options
from portanet.layers.rnn.rnn import RNN
from portanet.layers.several_inputs import shape_of
from portanet.masks import masks_of


class JordanCell(RecurrentCell):
    """Recurrence through the output (Jordan 1986): the state is the network's previous output.

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
        self.output_units = checks.positive_int("output_units", output_units, self)
        self.output_activation = activations.get(output_activation, "output_activation", self)

    @property
    def state_size(self) -> list[int]:
        return [self.output_units]

    def build(self, input_shape: Any) -> None:
        super().build(input_shape)
        self.output_kernel = self.add_weight(
            shape=(self.units, self.output_units), initializer=self.kernel_initializer, name="output_kernel"
        )
        if self.use_bias:
            self.output_bias = self.add_weight(
                shape=(self.output_units,), initializer=self.bias_initializer, name="output_bias"
            )

    def step(self, x: Array, states: States, recurrent_keep: Array | None) -> tuple[Array, States]:
        h = self.activation(self._sum(x, states[0], recurrent_keep))
        kernel = self.output_kernel.value
        y = array_namespace(h, kernel).matmul(h, kernel)
        y = self.output_activation(y + self.output_bias.value if self.use_bias else y)
        return y, [y]

    def teacher_forced(self, x: Array, previous: Array, training: bool) -> Array:
        """The outputs of a sequence, given the previous output of each step: arrays (time, batch, ...)."""
        xp = array_namespace(x, previous, self.kernel.value)
        input_keep, recurrent_keep = self.draw(x, training)
        x = x if input_keep is None else x * input_keep
        previous = previous if recurrent_keep is None else previous * recurrent_keep
        time, batch = x.shape[:2]
        rows = [xp.reshape(v, (time * batch, v.shape[-1])) for v in (x, previous)]
        y, _ = self.step(rows[0], rows[1:], None)
        return xp.reshape(y, (time, batch, y.shape[-1]))


class JordanRNN(RNN):
    """Recurrence through the output, see `JordanCell`; with teacher forcing (Williams and Zipser 1989).

    Args:
        units: Size of the hidden layer.
        output_units: Size of the output.
        activation: Activation of the hidden layer.
        output_activation: Activation of the output.
        use_bias: Whether to add biases.
        **options: As `SimpleRNN`.

    Call arguments, in addition to those of `RNN`:
        teacher: If given, the target outputs, shape (batch, time, output_units): the state at step t is then
            teacher[:, t - 1] instead of the network's output, so that all steps are computed at once. Outputs of
            masked steps are then meaningless.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layer, x = layers.JordanRNN(8, 2, return_sequences=True), np.ones((4, 5, 3), dtype="float32")
        >>> free = layer(x)
        >>> bool(np.allclose(layer(x, teacher=free), free, atol=1e-6))
        True
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
        cell, loop = divide_options(options)
        super().__init__(JordanCell(units, output_units, activation, output_activation, use_bias, **cell), **loop)
        self.cell: JordanCell

    def call(
        self,
        x: Any,
        initial_state: Any = None,
        mask: Any = None,
        training: bool = False,
        teacher: Array | None = None,
    ) -> Any:
        x = self.several_inputs.together(self, x, initial_state=initial_state)
        if teacher is None:
            return super().call(x, training=training, mask=mask)
        if not self.return_sequences or self.return_state or self.stateful or self.go_backwards:
            raise ValueError(
                f"Layer '{self.name}' takes a teacher with return_sequences=True and return_state, stateful and "
                f"go_backwards False. Received: return_sequences={self.return_sequences}, "
                f"return_state={self.return_state}, stateful={self.stateful}, go_backwards={self.go_backwards}"
            )
        expected = self.compute_output_shape(shape_of(x))
        if tuple(teacher.shape) != tuple(expected):
            raise ValueError(
                f"Argument `teacher` of layer '{self.name}' must have the shape of the output, {tuple(expected)}. "
                f"Received: {tuple(teacher.shape)}"
            )
        x, states, mask = self._prepare(x[0], masks_of(mask, 1)[0], x[1:])
        xp = array_namespace(x, self.cell.kernel.value)
        previous = xp.permute_dims(teacher, (1, 0, 2))[:-1, ...]
        previous = xp.concat([xp.expand_dims(states[0], axis=0), previous], axis=0)
        return self._result(self.cell.teacher_forced(x, previous, training), states, mask)
