"""Recurrent layers, trained through all time steps."""

from __future__ import annotations

from typing import Any

import numpy as np

from portanet import layers
from portanet.backends import Array
from portanet.compat.numpydl import activations, initializations
from portanet.compat.numpydl.layers.base import Layer, like, options
from portanet.compat.numpydl.utils.random import to_array


class Recurrent(Layer):
    """What the recurrent layers share.

    Args:
        n_out: Size of the hidden state.
        n_in: Size of the input, for the first layer.
        nb_batch: Size of a batch, if fixed.
        nb_seq: Length of the sequences, if fixed.
        init: Initial weights of the input.
        inner_init: Initial weights of the recurrence.
        activation: Name or object.
        return_sequence: Whether the result has all time steps or the last one.
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
                raise ValueError(
                    f"Argument `n_in` of the first layer is needed. Received: {type(self).__name__}(n_in=None)"
                )
            return (None, self.nb_seq, self.n_in)
        shape = super().input_shape(prev_layer)
        if len(shape) != 3:
            raise ValueError(f"{type(self).__name__} takes inputs of shape (batch, time, features). Received: {shape}")
        self.n_in = shape[-1]
        return shape

    def cell_options(self) -> dict[str, Any]:
        """The arguments of portanet's layer."""
        return {
            "activation": self.activation.function,
            "kernel_initializer": self.init.for_portanet,
            "recurrent_initializer": self.inner_init.for_portanet,
            "return_sequences": self.return_sequence,
            **options(type(self).__name__.lower()),
        }


class SimpleRNN(Recurrent):
    """`h_t = activation(x_t W + h_(t-1) U + b)`; the arguments are those of `Recurrent`."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def make(self, shape: tuple[int | None, ...]) -> layers.Layer:
        return layers.SimpleRNN(self.n_out, **self.cell_options())


class GRU(Recurrent):
    """Gated recurrent units (Cho et al. 2014), the reset gate before the product.

    Args:
        gate_activation: Activation of the gates.
        need_grad: Accepted; whether gradients are computed is `forward`'s `train`.
        **kwargs: Arguments of `Recurrent`.
    """

    def __init__(self, gate_activation: Any = "sigmoid", need_grad: bool = True, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.gate_activation = activations.get(gate_activation)
        self.need_grad = need_grad

    def make(self, shape: tuple[int | None, ...]) -> layers.Layer:
        return layers.GRU(
            self.n_out, recurrent_activation=self.gate_activation.function, reset_after=False, **self.cell_options()
        )


class LSTM(Recurrent):
    """Long short-term memory (Hochreiter and Schmidhuber 1997), with a mask.

    Args:
        gate_activation: Activation of the gates.
        need_grad: Accepted; whether gradients are computed is `forward`'s `train`.
        forget_bias_num: Initial bias of the forget gate.
        **kwargs: Arguments of `Recurrent`.
    """

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
            recurrent_activation=self.gate_activation.function,
            bias_initializer=self._bias,
            unit_forget_bias=False,
            return_state=True,
            **self.cell_options(),
        )

    def _bias(self, shape: tuple[int, ...], _: Any) -> Any:
        """Zero, except for the forget gate, the second of i, f, c, o."""
        bias = initializations.Zero().draw(shape, _)
        bias[self.n_out : 2 * self.n_out] = self.forget_bias_num
        return bias

    def connect_to(self, prev_layer: Any = None) -> None:
        """Take the place behind a layer (None: the first) and allocate the parameters."""
        super().connect_to(prev_layer)
        shape = self.input_shape(prev_layer)
        self.out_shape = (*shape[:2], self.n_out) if self.return_sequence else (shape[0], self.n_out)

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
            mask: Shape (batch, time); 0 where a sequence has ended.
            c0: First cell state, shape (batch, n_out); zero by default.
            h0: First hidden state, likewise.
            train: Whether this is training.
        """
        x = to_array(input)
        extra: dict[str, Any] = {} if mask is None else {"mask": to_array(mask) != 0}
        if c0 is not None or h0 is not None:
            zeros = to_array(np.zeros((int(x.shape[0]), self.n_out)))
            extra["initial_state"] = [zeros if s is None else to_array(s) for s in (h0, c0)]
        self._last = self.run(x, train, **extra)
        out: Array = self._last[0]
        return out

    def backward(self, pre_grad: Any, dcn: Any = None, dhn: Any = None) -> Array | None:
        """Go back through all time steps.

        Args:
            pre_grad: Derivative with respect to the result.
            dcn: Derivative with respect to the last cell state; zero by default.
            dhn: Derivative with respect to the last hidden state; zero by default.
        """
        return self.back(type(self._last)(like(self._last, (pre_grad, dhn, dcn))))


class BatchLSTM(LSTM):
    """The same; NumPyDL has two because only this one could be trained. See `LSTM`."""

    def forward(  # type: ignore[override]
        self,
        input: Any,  # noqa: A002
        c0: Any = None,
        h0: Any = None,
        mask: Any = None,
        train: bool = True,
    ) -> Array:
        """Compute the hidden states; see `LSTM.forward`, of which only the order of arguments differs."""
        return super().forward(input, mask, c0, h0, train)
