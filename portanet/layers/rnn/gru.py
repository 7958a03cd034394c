"""Gated recurrent units: the cell, and the layer."""

from __future__ import annotations

from typing import Any

from portanet import activations, checks
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.fused.recurrent_gru import gru, gru_reset_before
from portanet.layers.rnn.cell import RecurrentCell, States, plain_options
from portanet.layers.rnn.options import CellOptions, divide_options, require_implementation
from portanet.layers.rnn.rnn import RNN


class GRUCell(RecurrentCell):
    """Gated recurrent unit (Cho et al. 2014); as `keras.layers.GRUCell`, gates in the order z, r, h.

    Args:
        units: Size of the output.
        activation: Activation of the candidate.
        recurrent_activation: Activation of the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Initial values of the kernel.
        recurrent_initializer: Initial values of the recurrent kernel.
        bias_initializer: Initial values of the bias.
        reset_after: Whether the reset gate is applied after the product with the recurrent kernel, as in cuDNN, with a
            second bias (shape (2, 3 units)); False is the paper's convention.
        **options: Regularizers, constraints, `dropout`, `recurrent_dropout`, `seed` of `RecurrentCell`.

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
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        *,
        reset_after: bool = True,
        **options: Any,
    ) -> None:
        super().__init__(
            units, activation, use_bias, kernel_initializer, recurrent_initializer, bias_initializer, **options
        )
        self.recurrent_activation = activations.get(recurrent_activation, "recurrent_activation", self)
        self.reset_after = checks.boolean("reset_after", reset_after, self)

    def bias_shape(self) -> tuple[int, ...]:
        return (2, 3 * self.units) if self.reset_after else (3 * self.units,)

    def _biases(self) -> tuple[Array | None, Array | None]:
        """The input and recurrent biases."""
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


class GRU(CellOptions, RNN):
    """Gated recurrent units; as `keras.layers.GRU`, gates in the order z, r, h.

    Args:
        units: Size of the output.
        activation: Activation of the candidate.
        recurrent_activation: Activation of the gates.
        use_bias: Whether to add a bias.
        kernel_initializer: Initial values of the kernel.
        recurrent_initializer: Initial values of the recurrent kernel.
        bias_initializer: Initial values of the bias.
        reset_after: Whether the reset gate is applied after the product with the recurrent kernel; see `GRUCell`.
        use_cudnn: For Keras's scripts; every backend chooses the faster way itself.
        implementation: Likewise.
        **options: As `SimpleRNN`.

    Input and output: as `RNN`.

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
        kernel_initializer: Any = "glorot_uniform",
        recurrent_initializer: Any = "orthogonal",
        bias_initializer: Any = "zeros",
        *,
        reset_after: bool = True,
        use_cudnn: bool | str = "auto",
        implementation: int | None = None,
        **options: Any,
    ) -> None:
        require_implementation(use_cudnn, implementation, type(self))
        cell, loop = divide_options(options)
        initial = kernel_initializer, recurrent_initializer, bias_initializer
        super().__init__(
            GRUCell(units, activation, recurrent_activation, use_bias, *initial, reset_after=reset_after, **cell),
            **loop,
        )
        self.use_cudnn = use_cudnn
