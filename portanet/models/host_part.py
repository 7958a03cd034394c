"""The part of a graph that is computed on the host, as data is taken in: layers of strings, and those before them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portanet import checks
from portanet.backends import Array, HostArray, asarray, rows_to_host, to_host, use_backend
from portanet.layers import InputLayer, Layer
from portanet.layers.output_shapes import with_masks
from portanet.layers.preprocessing.host_layer import HostLayer, has_host_part
from portanet.layers.several_inputs import Several, shape_of
from portanet.layers.symbolic import Node, SymbolicArray, fill, nodes_before
from portanet.models import graph
from portanet.models.functional import Functional
from portanet.models.model import Model
from portanet.models.named_inputs import flat, in_order
from portanet.tree import tree_leaves


class HostPart(Several):
    """The layers of strings at the entrance of a graph, and the rest of it, which is computed on the device.

    It is the model's `several_inputs`: data of any form becomes a dict of the arrays that the rest takes, by names such
    as `"text_vectorization/0"`. `fit`, `evaluate` and `predict` do that batch by batch, as batches are prepared.
    """

    on_host = True

    def __init__(self) -> None:
        super().__init__()
        self._end: Any = None  # for which graph the following is
        self._nodes: list[Node] = []
        self._rest: Functional | None = None

    def rest(self, model: Model) -> Functional:
        """The graph after the layers of strings.

        Raises:
            ValueError: A layer of strings takes what layers with weights compute, or strings reach an output.
        """
        if self._rest is None or self._end is not model._end:
            outputs = _flattened(model, {array: array for array in model.inputs})
            self._nodes, entrances = _divided(model, outputs)
            self._rest, self._end = Functional(entrances, outputs, name=model.name), model._end
        return self._rest

    def collect(self, layer: Layer, x: Any, further: tuple[Any, ...], options: dict[str, Any]) -> Any:
        """The arrays that the rest of the graph takes, for a call on data."""
        assert isinstance(layer, Model)
        if further:
            raise TypeError(f"Model '{layer.name}' takes its inputs as one argument. Received: {1 + len(further)}")
        if any(isinstance(leaf, SymbolicArray) for leaf in tree_leaves(x)):
            return x
        if self._has_taken(layer, x):
            return x
        taken = self.take(layer, x)
        with use_backend(layer.backend):
            return {name: asarray(value) if "/" in name else value for name, value in taken.items()}

    def _has_taken(self, model: Model, x: Any) -> bool:
        """Whether this is what `take` returned."""
        return isinstance(x, Mapping) and x.keys() == set(self.rest(model).input_names)

    def specs(self, model: Any, x: Any) -> Any:
        """The specs of the outputs for symbolic inputs, for which the model is built."""
        if model._start is None:
            model.build(shape_of(x))
        return with_masks(model.compute_output_shape(shape_of(x)), model._end)

    def arrange(self, model: Any, x: Any) -> dict[str, Any]:
        """Data of any form as a dict of arrays by the names of the inputs; what `take` returned, as it is."""
        if x is None:
            raise checks.invalid("x", None, "an array of inputs, or a list or dict of them", model)
        if model._start is None:
            model.build(shape_of(_arrays(x, 1)))
        if self._has_taken(model, x):
            return dict(x)
        names = model.input_names
        values = in_order(model, names, _arrays(x, len(names)))
        return {
            name: graph.fitting(model, name, array, value)
            for name, array, value in zip(names, model.inputs, values, strict=True)
        }

    def take(self, model: Model, x: Any) -> dict[str, Any]:
        """The arrays that the rest of the graph takes, by name; those that layers of strings compute, on the host."""
        arranged, rest = self.arrange(model, x), self.rest(model)
        if self._has_taken(model, arranged):
            return arranged
        values: dict[SymbolicArray, Any] = dict(zip(model.inputs, arranged.values(), strict=True))
        hosted = {array: _on_host(array, value) for array, value in values.items() if _goes_to(array, self._nodes)}
        for node in self._nodes:
            args, options = node.arguments(hosted)
            if isinstance(node.layer, HostLayer):
                results = [node.layer.look_up(*args)]
            else:  # computes on any library's arrays, as it has no weights
                results = [to_host(array) for array in flat(node.layer(*args, **options))]
            computed = dict(zip(flat(node.outputs), results, strict=True))
            hosted.update(computed)
            values.update(computed)
        return {name: values[array] for name, array in zip(rest.input_names, rest.inputs, strict=True)}


def _flattened(model: Model, values: dict[SymbolicArray, Any]) -> Any:
    """The outputs of a graph in which the layers of models of strings take the place of these models.

    Args:
        model: The model.
        values: Symbolic arrays in place of its inputs.
    """
    nodes = nodes_before(model.outputs, model.inputs)
    if all(array is value for array, value in values.items()) and not any(has_host_part(node.layer) for node in nodes):
        return model._end
    for node in nodes:
        args, options = node.arguments(values)
        if has_host_part(node.layer):
            inner: Any = node.layer
            arrays = in_order(inner, inner.input_names, args[0])
            outputs = _flattened(inner, dict(zip(inner.inputs, arrays, strict=True)))
        else:
            outputs = node.layer(*args, **options)
            node.layer._nodes.pop()  # no call of the user's
        values.update(zip(flat(node.outputs), flat(outputs), strict=True))
    return fill(model._end, values)


def _divided(model: Model, outputs: Any) -> tuple[list[Node], dict[str, SymbolicArray]]:
    """The nodes of layers of strings before outputs, and the arrays that enter the rest of the graph, by name."""
    names = dict(zip(model.inputs, model.input_names, strict=True))
    nodes = nodes_before(flat(outputs), names)
    of_strings = [node for node in nodes if isinstance(node.layer, HostLayer)]
    host = nodes_before([source for node in of_strings for source in node.sources], names)
    for node in host:
        if node.layer.variables:
            after = next(other.layer for other in of_strings if node in nodes_before(other.sources, names))
            raise ValueError(
                f"Layer '{after.name}' ({type(after).__name__}) of model '{model.name}' is computed on the host, "
                "before data reaches the device, so it takes inputs of the model, and what layers without weights "
                "return. Make the layers before it a model of their own, and call this one on what that predicts. "
                f"Received: the output of layer '{node.layer.name}'"
            )
    host = [node for node in nodes if node in host or node in of_strings]
    known = {*names, *(array for node in host for array in flat(node.outputs))}
    entering = [a for node in nodes if node not in host for a in node.sources] + flat(outputs)
    entrances: dict[SymbolicArray, str] = {}
    for array in entering:
        if array in known and array not in entrances:
            if array.dtype == "string":
                raise ValueError(
                    f"Outputs of model '{model.name}' must be numbers; apply layers of strings to what it predicts. "
                    f"Received: strings, of layer '{array.node.layer.name}'"
                )
            entrances[array] = names.get(array, f"{array.node.layer.name}/{len(entrances)}")
    return host, {name: array for array, name in entrances.items()}


def _goes_to(array: SymbolicArray, nodes: list[Node]) -> bool:
    return any(array in node.sources for node in nodes)


def _on_host(array: SymbolicArray, value: Any) -> HostArray:
    """The data of an input, in the dtype that it declares."""
    layer, host = array.node.layer, to_host(value)
    if isinstance(layer, InputLayer) and layer.declared not in (None, "string"):
        numbers: Array = layer.cast(host)
        host = to_host(numbers)
    return host


def _arrays(x: Any, count: int) -> Any:
    """Data for `count` inputs, with arrays in place of lists of strings and numbers."""
    if isinstance(x, Mapping):
        return {key: _arrays(value, 1) for key, value in x.items()}
    if isinstance(x, (list, tuple)) and (len(x) == count > 1 or any(getattr(part, "shape", ()) for part in x)):
        return [_arrays(part, 1) for part in x]
    is_array = x is None or (hasattr(x, "shape") and x.shape != () and not hasattr(x, "iloc"))
    return x if is_array else rows_to_host(x, "Argument `x`")
