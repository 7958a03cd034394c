"""Layers that share the weights of another."""

from __future__ import annotations

from typing import Any

from portanet import activations, checks, initializers
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.layers.base import Layer
from portanet.layers.core.dense import Dense


class TiedDense(Layer):
    """`activation(x @ transpose(kernel) + bias)`, with the kernel of another `Dense` layer: a tied decoder.

    There is one kernel; its gradient is the sum of those of its two uses.

    Args:
        layer: The layer whose kernel is shared; it must be built first.
        activation: Name or function; None for none.
        use_bias: Whether to add a separate bias.
        bias_initializer: Initial values of the bias, shape (features of the other layer,).
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Input: shape (batch, ..., units of the other layer). Output: shape (batch, ..., its features).

    Example:
        >>> import portanet
        >>> from portanet import layers
        >>> encoder = layers.Dense(3, name="encoder")
        >>> model = portanet.Sequential([layers.Input((5,)), encoder, layers.TiedDense(encoder)])
        >>> model.count_params()  # 5 * 3 + 3 + 5
        23
    """

    supports_masking = True
    casts_integers = True

    def __init__(
        self,
        layer: Dense,
        activation: Any = None,
        use_bias: bool = True,
        bias_initializer: Any = "zeros",
        **options: Any,
    ) -> None:
        super().__init__(**options)
        if not isinstance(layer, Dense):
            raise TypeError(f"Argument `layer` of layer '{self.name}' must be a Dense layer. Received: {layer!r}")
        self.layer = layer
        self.activation = activations.get(activation, "activation", self)
        self.use_bias = checks.boolean("use_bias", use_bias, self)
        self.bias_initializer = initializers.get(bias_initializer, "bias_initializer", self)

    def build(self, input_shape: Any) -> None:
        if not self.layer._built:
            raise ValueError(
                f"Layer '{self.name}' shares the weights of {self.layer!r}; put it after that, or build that "
                "first. Received: a layer without weights yet"
            )
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.layer.kernel.shape[0],), initializer=self.bias_initializer, name="bias"
            )

    def call(self, x: Array) -> Array:
        kernel = self.layer.kernel.value
        self.require_axis(x, -1, kernel.shape[1])
        xp = array_namespace(x, kernel)
        out = xp.matmul(x, xp.matrix_transpose(kernel))
        return self.activation(out + self.bias.value if self.use_bias else out)

    def compute_output_shape(self, input_shape: Any) -> Any:
        return (*input_shape[:-1], self.layer.kernel.shape[0])
