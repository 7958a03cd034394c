"""Highway layers (Srivastava, Greff and Schmidhuber 2015)."""

from __future__ import annotations

from typing import Any

from portanet import activations, checks
from portanet.backends import Array
from portanet.fused.gates import gate
from portanet.initializers import Constant
from portanet.layers.base import Layer
from portanet.layers.core.dense import Dense


class Highway(Layer):
    """`H(x) T(x) + x (1 - T(x))`: a gate T decides how much is transformed by H and how much carried through.

    Args:
        activation: Name or function: activation of H, if H is not given.
        carry_bias: Initial bias of the gate, if T is not given; if negative, most is carried at first.
        transform: The layer H, whose outputs have the shape of its inputs; by default a `Dense` layer.
        gate: The layer T, with outputs in [0, 1] of the same shape; by default a `Dense` layer with a sigmoid.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> from portanet import layers
        >>> layers.Highway("tanh")(np.ones((2, 3), dtype="float32")).shape
        (2, 3)
    """

    keeps_shape = True
    supports_masking = True
    casts_integers = True

    def __init__(
        self,
        activation: Any = "relu",
        carry_bias: float = -1.0,
        transform: Layer | None = None,
        gate: Layer | None = None,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        for argument, layer in (("transform", transform), ("gate", gate)):
            if layer is not None and not isinstance(layer, Layer):
                raise checks.invalid(argument, layer, "a layer or None", self)
        self.activation = activations.get(activation, "activation", self)
        self.carry_bias = checks.number("carry_bias", carry_bias, of=self)
        self.transform = transform
        self.gate = gate

    def build(self, input_shape: Any) -> None:
        if self.transform is None:
            self.transform = Dense(input_shape[-1], self.activation, name="transform", dtype=self._policy)
        if self.gate is None:
            open_gate = Constant(self.carry_bias)
            self.gate = Dense(input_shape[-1], "sigmoid", bias_initializer=open_gate, name="gate", dtype=self._policy)
        self._place(self._path())
        for layer in (self.transform, self.gate):
            if not layer._built:
                layer.build(input_shape)
            shape = tuple(layer.compute_output_shape(input_shape))
            if shape != tuple(input_shape):
                raise ValueError(
                    f"Layer '{self.name}' needs layers whose outputs have the shape of its inputs, "
                    f"{tuple(input_shape)}. Received: {layer!r}, whose outputs have shape {shape}"
                )

    def call(self, x: Array) -> Array:
        assert self.transform is not None
        assert self.gate is not None
        return gate(self.gate(x), self.transform(x), x)
