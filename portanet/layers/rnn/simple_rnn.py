"""Fully connected recurrence: the cell, and the layer."""

from __future__ import annotations

from typing import Any

from portanet import activations
from portanet.backends import Array
from portanet.fused.recurrent_simple import simple_rnn
from portanet.layers.rnn.cell import RecurrentCell, States, plain_options
from portanet.layers.rnn.options import CellOptions, divide_options
from portanet.layers.rnn.rnn import RNN


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


class SimpleRNN(CellOptions, RNN):
    """Fully connected recurrence; as `keras.layers.SimpleRNN`.

    Args:
        units: Size of the output.
        activation: Name or function.
        use_bias: Whether to add a bias.
        **options: Initializers, regularizers, constraints, `dropout`, `recurrent_dropout`, `seed` of `RecurrentCell`;
            `return_sequences`, `return_state`, `go_backwards`, `stateful`, `zero_output_for_mask`,
            `learn_initial_state`, `truncate_gradient` of `RNN`; `name`, `trainable`, `dtype`, `activity_regularizer`
            of `Layer`.

    Input and output: as `RNN`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.SimpleRNN(4)(np.ones((2, 5, 3), dtype="float32")).shape
        (2, 4)
    """

    def __init__(
        self,
        units: int,
        activation: Any = "tanh",
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        **options: Any,
    ) -> None:
        cell, loop = divide_options(options)
        initial = kernel_initializer, recurrent_initializer, bias_initializer
        super().__init__(SimpleRNNCell(units, activation, use_bias, *initial, **cell), **loop)
