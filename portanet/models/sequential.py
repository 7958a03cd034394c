"""A model that is a chain of layers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from portanet.backends import Array
from portanet.layers import InputLayer, Layer
from portanet.models.model import Model


class Sequential(Model):
    """Layers one after the other; as `keras.Sequential`.

    Args:
        layers: The layers; the first may be an `Input`, so that the model is built at once rather than when it first
            sees data.
        name: Name of the model.

    Example:
        >>> import portanet
        >>> from portanet import layers
        >>> model = portanet.Sequential([layers.Input((784,)), layers.Dense(30), layers.Dense(10)])
        >>> model.count_params()
        23860
    """

    autocast = False  # each layer casts its own input

    def __init__(self, layers: Iterable[Layer] | None = None, name: str | None = None) -> None:
        super().__init__(name=name)
        self._batch_shape: Any = None
        self.layers: list[Layer] = []
        self._shape: Any = None
        for layer in layers or ():
            self.add(layer)

    def add(self, layer: Layer) -> None:
        """Append a layer; it is built at once where the shape of its input is known."""
        if not isinstance(layer, Layer):
            raise TypeError(f"Model '{self.name}' is made of layers. Received: {layer!r}")
        if isinstance(layer, InputLayer):
            if self._batch_shape is not None or self.layers:
                raise ValueError(f"Only the first entry of model '{self.name}' may be an Input. Received: {layer!r}")
            self._batch_shape = self._shape = layer.batch_shape
            self.built = True
            return
        if layer in self.layers:
            raise ValueError(
                f"A layer can stand in a chain once; make a second layer. Received: {layer!r} in model '{self.name}'"
            )
        layer._name_among(self.sublayers())
        self.layers.append(layer)
        if self._shape is not None:
            self._build_layer(layer)

    def build(self, input_shape: Any) -> None:
        self._place("")
        self._batch_shape = self._shape = (None, *input_shape[1:])
        for layer in self.layers:
            self._build_layer(layer)

    def _build_layer(self, layer: Layer) -> None:
        self._place("")
        if not layer.built:
            layer.build(self._shape)
        self._shape = layer.compute_output_shape(self._shape)

    def check_data(self, x: Array) -> None:
        if self.layers:
            self.layers[0].check_data(x)

    def call(self, x: Array, training: bool = False, mask: Any = None) -> Array:
        for layer in self.layers:
            inputs = x
            x = layer(x, training=training, mask=mask)
            mask = layer.compute_mask(inputs, mask)
        return x

    def compute_output_shape(self, input_shape: Any) -> Any:
        for layer in self.layers:
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def _input_shape(self) -> Any:
        return self._batch_shape

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal model."""
        first = [] if self._batch_shape is None else [InputLayer(self._batch_shape[1:], self._batch_shape[0])]
        return {"layers": [*first, *self.layers], "name": self.name}
