"""Recurrent layers: a cell of the library and the loop over time in one."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.rnn.cells import GRUCell, JordanCell, LSTMCell, SimpleRNNCell
from portanet.layers.rnn.rnn import RNN
from portanet.layers.several_inputs import masks_of, shape_of

_OF_THE_LOOP = (
    "return_sequences",
    "return_state",
    "go_backwards",
    "stateful",
    "zero_output_for_mask",
    "learn_initial_state",
    "truncate_gradient",
    "name",
    "activity_regularizer",
)


def _divide(options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Options of the cell and of the loop; `trainable` and `dtype` are for both."""
    loop = {key: options.pop(key) for key in _OF_THE_LOOP if key in options}
    return options, loop | {key: options[key] for key in ("trainable", "dtype") if key in options}


class SimpleRNN(RNN):
    """Fully connected recurrence; as `keras.layers.SimpleRNN`.

    Args:
        units: Size of the output.
        activation: Name or function.
        use_bias: Whether to add a bias.
        **options: Initializers, regularizers, constraints, `dropout`, `recurrent_dropout`, `seed` of `RecurrentCell`;
            `return_sequences`, `return_state`, `go_backwards`, `stateful`, `zero_output_for_mask`,
            `learn_initial_state`, `truncate_gradient` of `RNN`; `name`, `trainable`, `dtype`, `activity_regularizer`
            of `Layer`.

    Input and result: as `RNN`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.SimpleRNN(4)(np.ones((2, 5, 3), dtype="float32")).shape
        (2, 4)
    """

    def __init__(self, units: int, activation: Any = "tanh", use_bias: bool = True, **options: Any) -> None:
        cell, loop = _divide(options)
        super().__init__(SimpleRNNCell(units, activation, use_bias, **cell), **loop)


class LSTM(RNN):
    """Long short-term memory; as `keras.layers.LSTM`, gates in the order i, f, c, o.

    Args:
        units: Size of the cell state, and of the output unless it is projected.
        activation: Activation of the input and the output.
        recurrent_activation: Activation of the gates.
        use_bias: Whether to add a bias.
        unit_forget_bias: Whether the forget gate's bias starts at 1.
        peephole: Whether the gates see the cell state.
        projection_units: If given, the size of the output, projected from the cell's.
        **options: As `SimpleRNN`.

    Input and result: as `RNN`; the states are the output h and the cell state c.

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
        unit_forget_bias: bool = True,
        peephole: bool = False,
        projection_units: int | None = None,
        **options: Any,
    ) -> None:
        cell, loop = _divide(options)
        super().__init__(
            LSTMCell(
                units, activation, recurrent_activation, use_bias, unit_forget_bias, peephole, projection_units, **cell
            ),
            **loop,
        )


class GRU(RNN):
    """Gated recurrent units; as `keras.layers.GRU`, gates in the order z, r, h.

    Args:
        units: Size of the output.
        activation: Activation of the candidate.
        recurrent_activation: Activation of the gates.
        use_bias: Whether to add a bias.
        reset_after: Whether the reset gate acts after the product with the recurrent kernel; see `GRUCell`.
        **options: As `SimpleRNN`.

    Input and result: as `RNN`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.GRU(4)(np.ones((2, 5, 3), dtype="float32")).shape
        (2, 4)
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        recurrent_activation: Any = "sigmoid",
        use_bias: bool = True,
        reset_after: bool = True,
        **options: Any,
    ) -> None:
        cell, loop = _divide(options)
        super().__init__(GRUCell(units, activation, recurrent_activation, use_bias, reset_after, **cell), **loop)


class JordanRNN(RNN):
    """Recurrence through the output, see `JordanCell`; with teacher forcing (Williams and Zipser 1989).

    Args:
        units: Size of the hidden layer.
        output_units: Size of the output.
        activation: Activation of the hidden layer.
        output_activation: Activation of the output.
        use_bias: Whether to add biases.
        **options: As `SimpleRNN`.

    Call arguments, beside those of `RNN`:
        teacher: If given, the outputs that are wanted, shape (batch, time, output_units): step t then remembers
            teacher[:, t - 1] instead of what the network said, so that all steps are computed at once. Results of
            masked steps are then of no use.

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
        cell, loop = _divide(options)
        super().__init__(JordanCell(units, output_units, activation, output_activation, use_bias, **cell), **loop)
        self.cell: JordanCell

    def call(
        self,
        x: Any,
        training: bool = False,
        mask: Any = None,
        teacher: Array | None = None,
    ) -> Any:
        if teacher is None:
            return super().call(x, training=training, mask=mask)
        if not self.return_sequences or self.return_state or self.stateful or self.go_backwards:
            raise ValueError(
                f"Layer '{self.name}' can be taught with return_sequences=True and return_state, stateful and "
                f"go_backwards False. Received: return_sequences={self.return_sequences}, "
                f"return_state={self.return_state}, stateful={self.stateful}, go_backwards={self.go_backwards}"
            )
        wanted = self.compute_output_shape(shape_of(x))
        if tuple(teacher.shape) != tuple(wanted):
            raise ValueError(
                f"Argument `teacher` of layer '{self.name}' must have the shape of the result, {tuple(wanted)}. "
                f"Received: {tuple(teacher.shape)}"
            )
        x, states, mask = self._prepare(x[0], masks_of(mask, 1)[0], x[1:])
        xp = array_namespace(x, self.cell.kernel.value)
        before = xp.permute_dims(teacher, (1, 0, 2))[:-1, ...]
        before = xp.concat([xp.expand_dims(states[0], axis=0), before], axis=0)
        return self._result(self.cell.taught(x, before, training), states, mask)
