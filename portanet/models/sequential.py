"""A model that is a linear stack of layers."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from portanet import checks
from portanet.backends import get_backend
from portanet.configurable import named_arguments
from portanet.layers import InputLayer, Layer
from portanet.layers.calling import NamedLayers, call_with_mask
from portanet.layers.preprocessing.host_layer import HostLayer, needs_host
from portanet.layers.several_inputs import map_shapes, shape_of
from portanet.layers.symbolic import SymbolicArray, record
from portanet.layers.weights import forget
from portanet.masks import remember
from portanet.mixed_precision import cast_integers
from portanet.models.graph import layer_takes_integers, with_rank_of
from portanet.models.model import Model
from portanet.models.named_inputs import flat
from portanet.tree import tree_leaves

if TYPE_CHECKING:
    from portanet.models.host_part import HostPart


class Sequential(Model):
    """A linear stack of layers; as `keras.Sequential`.

    Args:
        layers: The layers; the first may be an `Input`, so that the model is built immediately instead of at its first
            call.
        name: Name of the model.
        trainable: Whether training changes the weights.

    Example:
        >>> import portanet
        >>> from portanet import layers
        >>> model = portanet.Sequential([layers.Input((784,)), layers.Dense(30), layers.Dense(10)])
        >>> model.count_params()
        23860
    """

    independent_examples = True
    autocast = False  # each layer casts its own input
    several_inputs: HostPart | None = None

    def __init__(
        self,
        layers: Iterable[Layer | SymbolicArray] | None = None,
        trainable: bool = True,
        name: str | None = None,
    ) -> None:
        if isinstance(trainable, Layer):
            raise checks.invalid("layers", layers, "a list of layers, Sequential([a, b])", "Sequential")
        super().__init__(name=name, trainable=trainable)
        self._chain = NamedLayers()
        self._start: Any = None
        self._end: Any = None
        if not (layers is None or isinstance(layers, Iterable)):
            raise checks.invalid("layers", layers, "a list of layers", f"model '{self.name}'")
        for layer in () if layers is None else layers:
            self.add(layer)

    def add(self, layer: Layer | SymbolicArray, rebuild: bool = True) -> None:
        """Append a layer; it is built immediately if its input shape is known, by an `Input` or a built model before.

        Args:
            layer: The layer.
            rebuild: Has no effect: the model always ends with the last layer.
        """
        checks.boolean("rebuild", rebuild, self)
        if isinstance(layer, SymbolicArray):
            layer = layer.node.layer
            if not isinstance(layer, InputLayer):
                raise TypeError(
                    f"Model '{self.name}' is made of layers, not of their outputs in a graph. Received: {layer!r}"
                )
        if not isinstance(layer, Layer):
            made = f"; a class makes one when it is called: {layer.__name__}(...)" if isinstance(layer, type) else ""
            raise TypeError(f"Argument `layer` of model '{self.name}' must be a layer{made}. Received: layer={layer!r}")
        if isinstance(layer, InputLayer):
            if self._start is not None or self._chain:
                raise ValueError(f"Only the first entry of model '{self.name}' may be an Input. Received: {layer!r}")
            self._begin(layer.output)
            return
        if self._start is None and not self._chain:
            if layer.declared_shape is not None:
                self._begin(InputLayer(layer.declared_shape).output)
            elif isinstance(layer, Model) and isinstance(start := layer._start, SymbolicArray):
                declared = getattr(start.node.layer, "declared", None)
                self._begin(InputLayer(start.shape[1:], start.shape[0], declared).output)
        if layer in self._chain.names:
            raise ValueError(
                f"A Sequential can hold a layer once; create a second layer. Received: {layer!r} in model '{self.name}'"
            )
        self._chain.add(layer)
        if needs_host(layer):
            from portanet.models.host_part import HostPart  # which few need

            self.several_inputs = self.several_inputs or HostPart()
        if self._start is not None:
            self._connect(layer)

    def pop(self, rebuild: bool = True) -> Layer:
        """Remove the last layer, and return it.

        Args:
            rebuild: Has no effect: the model always ends with the layer before.

        Example:
            >>> from portanet import Sequential, layers
            >>> model = Sequential([layers.Input((3,)), layers.Dense(4), layers.Dense(1)])
            >>> model.pop().name, model.output_shape
            ('dense_1', (None, 4))
        """
        checks.boolean("rebuild", rebuild, self)
        if not self._chain:
            raise ValueError(f"Model '{self.name}' has no layer to remove. Received: a model without layers")
        name, layer = list(self._chain.items())[-1]
        kept = list(self._chain.values())[:-1]
        self._chain = NamedLayers()
        for other in kept:
            self._chain.add(other)
        if self._start is not None:
            self._end = self._start
            for other in kept:
                self._connect(other)
        layer.name = name
        return layer

    def build(self, input_shape: Any) -> None:
        if not self._chain:
            raise ValueError(
                f"Model '{self.name}' has no layers; add some first: model.add(layer). Received: no layers"
            )
        dtypes: Iterator[str | None]
        if self.several_inputs is not None:
            dtypes = itertools.repeat(getattr(next(iter(self._chain.values())), "input_dtype", None))
        else:
            names = map(get_backend().dtype_name, self._dtypes) if self._takes_integers() else ()
            dtypes = (None if "float" in name else name for name in names)  # integers that follow stay integers
        self._place("")
        unbuilt = [part for layer in self._chain.values() for part in layer.flatten_layers() if not part._built]
        try:
            self._begin(map_shapes(lambda s: InputLayer(s[1:], None, next(dtypes, None)).output, input_shape))
            for layer in self._chain.values():
                self._connect(layer)
        except BaseException:  # so that the model can be built for other inputs
            self._start = self._end = None
            for part in (self, *unbuilt):
                part._built, part.build_shape = False, None
                forget(part, {})
                part._nodes.clear()
            raise

    def _begin(self, start: Any) -> None:
        self._start = self._end = start
        self._entrance = flat(start)[0]
        self._built, self.build_shape = True, shape_of(start)

    def _connect(self, layer: Layer) -> None:
        self._integers: bool | None = None  # not known yet
        layer._place_at(self._chain.names[layer])
        x = self._end if layer.several_inputs is None else layer.several_inputs.collect(layer, self._end, (), {})
        self._end = layer(x) if isinstance(layer, HostLayer) else record(layer, (x,), {})

    @property
    def input(self) -> Any:
        if self._start is None:
            raise self._no_graph("symbolic inputs")
        return self._start

    @property
    def output(self) -> Any:
        if self._start is None:
            raise self._no_graph("symbolic outputs")
        return self._end

    def _takes_integers(self) -> bool:
        """Whether data reaches a layer that takes integers before one that casts them."""
        for layer in self._chain.values():
            if layer_takes_integers(layer):
                return True
            if layer.casts_integers:
                break
        return False

    def _cast(self, x: Any) -> Any:
        """Data in the form and the dtype of the input."""
        if self._start is None:
            return x
        if isinstance(x, (list, tuple, dict)):
            x = self.arranged_inputs(x)
        if self._integers is None:
            self._integers = self._takes_integers()
        layer = self._entrance.node.layer
        if getattr(x, "ndim", len(self._entrance.shape)) != len(self._entrance.shape):
            x = with_rank_of(self._entrance.shape, x)
        if layer.declared is not None:
            return layer.cast(x)
        return x if self._integers else cast_integers(x, layer)

    def check_data(self, x: Any) -> None:
        if self.several_inputs is not None:
            return self.several_inputs.rest(self).check_data(x)
        x = self._cast(x)
        for layer in self._chain.values():
            layer.check_data(x)
            if not layer.keeps_values:
                break

    def known_outputs(self, x: Any) -> list[Any] | None:
        if self.several_inputs is not None:
            return [array.shape for array in self.outputs]
        pairs = zip(tree_leaves(x), tree_leaves(self._start), strict=False)
        known = self._start is not None and all(len(array.shape) == len(start.shape) for array, start in pairs)
        return [array.shape for array in tree_leaves(self._end)] if known else None

    def call(self, x: Any, training: bool | None = None, mask: Any = None, return_mask: bool = False) -> Any:
        if self.several_inputs is not None:
            return self.several_inputs.rest(self).call(x, training, mask, return_mask)
        x = self._cast(x)
        for layer in self._chain.values():
            x, mask = call_with_mask(layer, x, mask=mask, training=training)
        if return_mask:
            return x, mask
        if mask is not None:
            remember(x, mask)
        return x

    def compute_output_shape(self, input_shape: Any) -> Any:
        for layer in self._chain.values():
            input_shape = layer.compute_output_shape(input_shape)
        return input_shape

    def _input_shape(self) -> Any:
        return super()._input_shape() if self._start is None else shape_of(self._start)

    def _arguments(self) -> dict[str, Any]:
        if "layers" not in named_arguments(type(self)):  # whose constructor adds them
            return super()._arguments()
        first = [] if self._start is None else [array.node.layer for array in self.inputs]
        return {"layers": [*first, *self._chain.values()], "name": self.name}
