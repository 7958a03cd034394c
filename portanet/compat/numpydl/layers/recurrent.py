# ruff: noqa: N802, N815 -- NumPyDL's names
"""Recurrent layers, trained through all time steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from portanet import layers
from portanet.backends import Array, to_host
from portanet.compat.numpydl import activations, initializations
from portanet.compat.numpydl.extending import InputError
from portanet.compat.numpydl.layers.base import Layer, like, options
from portanet.compat.numpydl.layers.weights import Weight
from portanet.compat.numpydl.utils.random import to_array, to_float


class Recurrent(Layer):
    """Base class of recurrent layers.

    Args:
        n_out: Size of the hidden state.
        n_in: Size of the input, for the first layer.
        nb_batch: Batch size, if fixed.
        nb_seq: Length of the sequences, if fixed.
        init: Initializer of the input weights.
        inner_init: Initializer of the recurrent weights.
        activation: Name or object.
        return_sequence: Whether to return all time steps or only the last.

    Example:
        >>> from portanet.compat import numpydl as npdl
        >>> issubclass(npdl.layers.LSTM, Recurrent)
        True
    """

    def __init__(
        self,
        n_out: int,
        n_in: int | None = None,
        nb_batch: int | None = None,
        nb_seq: int | None = None,
        init: Any = "glorot_uniform",
        inner_init: Any = "orthogonal",
        activation: Any = "tanh",
        return_sequence: bool = False,
    ) -> None:
        super().__init__()
        self.n_out = n_out
        self.n_in = n_in
        self.nb_batch = nb_batch
        self.nb_seq = nb_seq
        self.init = initializations.get(init)
        self.inner_init = initializations.get(inner_init)
        self.activation = activations.get(activation)
        self.return_sequence = return_sequence

    def input_shape(self, prev_layer: Any) -> tuple[int | None, ...]:
        if prev_layer is None:
            if self.n_in is None:
                raise InputError(
                    f"Argument `n_in` of the first layer is required. Received: {type(self).__name__}(n_in=None)"
                )
            return (None, self.nb_seq, self.n_in)
        shape = super().input_shape(prev_layer)
        if len(shape) != 3:
            raise InputError(f"{type(self).__name__} takes inputs of shape (batch, time, features). Received: {shape}")
        self.n_in = shape[-1]
        self.nb_batch, self.nb_seq = shape[0] or self.nb_batch, shape[1] or self.nb_seq
        return shape

    def connect_to(self, prev_layer: Any = None) -> None:
        """Connect to the previous layer (None for the first) and allocate any parameters."""
        if type(self).make is not Layer.make:
            super().connect_to(prev_layer)
        shape = self.input_shape(prev_layer)
        self.out_shape = (*shape[:2], self.n_out) if self.return_sequence else (shape[0], self.n_out)

    def cell_options(self) -> dict[str, Any]:
        """The arguments of portanet's layer."""
        return {
            "activation": self.activation,
            "kernel_initializer": self.init.for_portanet,
            "recurrent_initializer": self.inner_init.for_portanet,
            "return_sequences": self.return_sequence,
            **options(type(self).__name__.lower()),
        }


class SimpleRNN(Recurrent):
    """`h_t = activation(x_t W + h_(t-1) U + b)`; the arguments are those of `Recurrent`.

    Args:
        **kwargs: See `Recurrent`.

    Example:
        >>> import numpy as np
        >>> from portanet.compat import numpydl as npdl
        >>> model = npdl.Model([npdl.layers.SimpleRNN(n_out=2, n_in=3)])
        >>> model.compile("mse")
        >>> model.predict(np.ones((4, 5, 3))).shape
        (4, 2)
    """

    W, U, b = Weight("kernel"), Weight("recurrent_kernel"), Weight("bias")
    dW, dU, db = (Weight(name, grad=True) for name in ("kernel", "recurrent_kernel", "bias"))

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def make(self, shape: tuple[int | None, ...]) -> layers.Layer:
        return layers.SimpleRNN(self.n_out, **self.cell_options())


def _gates(name: str, count: int, grad: bool = False) -> list[Weight]:
    """Attributes for the parts of a parameter, one per gate, in the order of portanet's layers."""

    def part(gate: int) -> Weight:
        return Weight(name, lambda layer, a: a[..., gate * layer.n_out : (gate + 1) * layer.n_out], grad)

    return [part(gate) for gate in range(count)]


class GRU(Recurrent):
    """Gated recurrent units (Cho et al. 2014), with the reset gate applied before the product.

    Args:
        gate_activation: Activation of the gates.
        need_grad: Ignored; `forward` computes gradients if `train`.
        **kwargs: Arguments of `Recurrent`.

    Example:
        >>> import numpy as np
        >>> from portanet.compat import numpydl as npdl
        >>> model = npdl.Model([npdl.layers.GRU(n_out=2, n_in=3)])
        >>> model.compile("mse")
        >>> model.predict(np.ones((4, 5, 3))).shape
        (4, 2)
    """

    U_z, U_r, U_h = _gates("kernel", 3)
    W_z, W_r, W_h = _gates("recurrent_kernel", 3)
    b_z, b_r, b_h = _gates("bias", 3)
    grad_U_z, grad_U_r, grad_U_h = _gates("kernel", 3, grad=True)
    grad_W_z, grad_W_r, grad_W_h = _gates("recurrent_kernel", 3, grad=True)
    grad_b_z, grad_b_r, grad_b_h = _gates("bias", 3, grad=True)

    def __init__(self, gate_activation: Any = "sigmoid", need_grad: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.gate_activation = activations.get(gate_activation)
        self.need_grad = need_grad

    def make(self, shape: tuple[int | None, ...]) -> layers.Layer:
        return layers.GRU(
            self.n_out, recurrent_activation=self.gate_activation, reset_after=False, **self.cell_options()
        )


class LSTM(Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997), with a mask.

    Args:
        gate_activation: Activation of the gates.
        need_grad: Ignored; `forward` computes gradients if `train`.
        forget_bias_num: Initial bias of the forget gate.
        **kwargs: Arguments of `Recurrent`.

    Example:
        >>> import numpy as np
        >>> from portanet.compat import numpydl as npdl
        >>> model = npdl.Model([npdl.layers.LSTM(n_out=2, n_in=3)])
        >>> model.compile("mse")
        >>> model.predict(np.ones((4, 5, 3))).shape
        (4, 2)
    """

    U_i, U_f, U_g, U_o = _gates("kernel", 4)
    W_i, W_f, W_g, W_o = _gates("recurrent_kernel", 4)
    b_i, b_f, b_g, b_o = _gates("bias", 4)
    grad_U_i, grad_U_f, grad_U_g, grad_U_o = _gates("kernel", 4, grad=True)
    grad_W_i, grad_W_f, grad_W_g, grad_W_o = _gates("recurrent_kernel", 4, grad=True)
    grad_b_i, grad_b_f, grad_b_g, grad_b_o = _gates("bias", 4, grad=True)
    c0: Any = None
    h0: Any = None

    def __init__(
        self, gate_activation: Any = "sigmoid", need_grad: bool = True, forget_bias_num: float = 1, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.gate_activation = activations.get(gate_activation)
        self.need_grad = need_grad
        self.forget_bias_num = forget_bias_num
        self._last: Any = None

    def make(self, shape: tuple[int | None, ...]) -> layers.Layer:
        return layers.LSTM(
            self.n_out,
            recurrent_activation=self.gate_activation,
            bias_initializer=self._bias,
            unit_forget_bias=False,
            return_state=True,
            **self.cell_options(),
        )

    def _bias(self, shape: tuple[int, ...], _: Any) -> Any:
        """Zero except for the forget gate, the second of i, f, c, o."""
        bias = initializations.Zero().draw(shape, _)
        bias[self.n_out : 2 * self.n_out] = self.forget_bias_num
        return bias

    def forward(  # type: ignore[override]
        self,
        input: Any,  # noqa: A002
        mask: Any = None,
        c0: Any = None,
        h0: Any = None,
        train: bool = True,
    ) -> Array:
        """Compute the hidden states.

        Args:
            input: Shape (batch, time, features).
            mask: Shape (batch, time); 0 at padded steps.
            c0: Initial cell state, shape (batch, n_out); zero by default.
            h0: Initial hidden state, shape (batch, n_out); zero by default.
            train: Whether to compute in training mode.

        Stores the last states in `c0` and `h0`.
        """
        x = to_float(input)
        kwargs: dict[str, Any] = {} if mask is None else {"mask": to_array(mask) != 0}
        if c0 is not None or h0 is not None:
            zeros = to_float(np.zeros((int(x.shape[0]), self.n_out)))
            kwargs["initial_state"] = [zeros if s is None else to_float(s) for s in (h0, c0)]
        self._last = self.run(x, train, **kwargs)
        out: Array = self._last[0]
        _, self.h0, self.c0 = self._last
        return out

    def backward(self, pre_grad: Any, dcn: Any = None, dhn: Any = None) -> Array | None:
        """Propagate gradients back through all time steps.

        Args:
            pre_grad: Gradient with respect to the output.
            dcn: Gradient with respect to the last cell state; zero by default.
            dhn: Gradient with respect to the last hidden state; zero by default.
        """
        return self.back(type(self._last)(like(self._last, (self.cotangent(pre_grad), dhn, dcn))))


class BatchLSTM(LSTM):
    """The same as `LSTM`; in NumPyDL only this one can be trained.

    `AllW` has a row for the bias, then rows for the input and the hidden state, and columns for the gates i, f, o and
    g; `d_AllW` is its gradient.

    Example:
        >>> import numpy as np
        >>> from portanet.compat import numpydl as npdl
        >>> model = npdl.Model([npdl.layers.BatchLSTM(n_out=2, n_in=3)])
        >>> model.compile("mse")
        >>> model.predict(np.ones((4, 5, 3))).shape
        (4, 2)
    """

    make = LSTM.make  # this class implements `forward`, but not in NumPy

    @property
    def AllW(self) -> Array:
        """All parameters in one matrix."""
        return self._joined("")

    @AllW.setter
    def AllW(self, value: Any) -> None:
        host, rows = to_host(value), 1 + int(self.n_in or 0)
        for gate, columns in zip("ifog", np.split(host, 4, axis=1), strict=True):
            for name, part in (("b", columns[0]), ("U", columns[1:rows]), ("W", columns[rows:])):
                setattr(self, f"{name}_{gate}", part)

    @property
    def d_AllW(self) -> Array:
        """The gradient of `AllW` from the last `backward`."""
        return self._joined("grad_")

    def _joined(self, prefix: str) -> Array:
        columns = []
        for gate in "ifog":
            bias, *matrices = (to_host(getattr(self, f"{prefix}{name}_{gate}")) for name in "bUW")
            columns.append(np.concatenate([bias[None], *matrices]))
        return to_float(np.concatenate(columns, axis=1))

    def forward(  # type: ignore[override]
        self,
        input: Any,  # noqa: A002
        c0: Any = None,
        h0: Any = None,
        mask: Any = None,
        train: bool = True,
    ) -> Array:
        """Compute the hidden states; as `LSTM.forward`, with arguments in another order."""
        return super().forward(input, mask, c0, h0, train)
