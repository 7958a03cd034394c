"""A model that is a graph of layers."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from portanet.layers import Layer
from portanet.layers.calling import NamedLayers, call_with_mask, note_call
from portanet.layers.input_spec import InputSpec
from portanet.layers.ordering import layers_in_order
from portanet.layers.output_shapes import ArraySpec, result
from portanet.layers.preprocessing.host_layer import needs_host
from portanet.layers.several_inputs import map_shapes, shape_of
from portanet.layers.symbolic import Node, SymbolicArray, fill
from portanet.masks import masks_of, remember
from portanet.models import graph
from portanet.models.model import Model, with_new_layers
from portanet.models.named_inputs import flat, in_order, names_of, with_sorted_keys
from portanet.tree import tree_items, tree_leaves, tree_map

if TYPE_CHECKING:
    from portanet.models.host_part import HostPart


class Functional(Model):
    """A graph of layers from inputs to outputs, as created by `portanet.Model(inputs, outputs)`.

    Layers may be called several times (weights are shared, gradients add up), and may be models. Any symbolic array of
    another graph may be an input or output: `Model(auto.input, auto.get_layer("code").output)` extracts the encoder of
    an autoencoder, with the same layers and weights.

    Args:
        inputs: A symbolic array, or a list, tuple or dict of them (or a tree of those). Data has the same form,
            or is a list in the same order (of a dict, that of its keys, sorted), or a dict by `input_names`.
        outputs: Likewise; outputs have the same form. The output of a list of one is its entry.
        name: Name of the model.
        **options: `trainable`, `dtype` of `Layer`.

    Example:
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> words, age = layers.Input((4,), dtype="int32", name="words"), layers.Input((1,), name="age")
        >>> x = layers.Flatten()(layers.Embedding(100, 8)(words))
        >>> y = layers.Dense(2)(layers.Concatenate()([x, age]))
        >>> model = portanet.Model([words, age], y)
        >>> model.predict({"words": np.zeros((5, 4), dtype="int32"), "age": np.ones((5, 1))}).shape
        (5, 2)
    """

    independent_examples = True
    autocast = False  # each layer casts its own input
    several_inputs: HostPart | None = None
    _checked_spec: Any = None
    _written: Any = None
    """The names of the outputs as nested in a file, if its dicts are in another order: it counts outputs in that."""

    def __init__(self, inputs: Any, outputs: Any, name: str | None = None, **options: Any) -> None:
        super().__init__(name=name, **options)
        for argument, tree in (("inputs", inputs), ("outputs", outputs)):
            leaves = flat(tree)
            if not leaves or any(not isinstance(leaf, SymbolicArray) for leaf in leaves):
                wrong = next((leaf for leaf in leaves if not isinstance(leaf, SymbolicArray)), "none")
                raise TypeError(
                    f"Argument `{argument}` of model '{self.name}' must be symbolic arrays: layers.Input(...), or "
                    f"outputs of layers called on them. Received: {wrong!r}"
                )
        self._given = with_sorted_keys(inputs), with_sorted_keys(outputs)
        self._start, self._end = map(_single, self._given)
        self._plan = graph.nodes_between(self)
        self.input_layers = {array: graph.input_layer(array) for array in self.inputs}
        self._integers = graph.integer_arrays(self._plan)
        self._layers = list(dict.fromkeys(node.layer for node in self._plan))
        self._order = layers_in_order(self.input_layers, self._end)
        self._names = names_of(self._start)
        self._place("")
        self._built, self.build_shape = True, shape_of(self._start)
        # A layer of the user's that looks up strings does so in the call, in which all others then do it, too.
        in_call = any(layer.takes_strings() and not needs_host(layer) for layer in self._layers)
        if not in_call and any(map(needs_host, self._layers)):
            from portanet.models.host_part import HostPart  # which few need

            self.several_inputs = HostPart()
            self.several_inputs.rest(self)

    def sublayers(self) -> NamedLayers:
        """The direct sublayers by name: names are given in the order of the calls, the order is Keras's."""
        return super().sublayers().sorted_as(self._order)

    @property
    def input(self) -> Any:
        return self._given[0]

    @property
    def output(self) -> Any:
        return self._given[1]

    @property
    def input_spec(self) -> Any:
        """What was assigned, and calls check; else the shapes of the inputs, which they check by themselves."""
        if self._checked_spec is not None:
            return self._checked_spec
        if isinstance(self._start, dict) and not all(isinstance(x, SymbolicArray) for x in self._start.values()):
            return None
        names = self._names if isinstance(self._start, dict) else [layer.name for layer in self.input_layers.values()]
        return [
            InputSpec(
                shape=(None, *array.shape[1:]),
                allow_last_axis_squeeze=True,
                name=name,
                optional=getattr(self.input_layers[array], "optional", False),
            )
            for array, name in zip(self.inputs, names, strict=True)
        ]

    @input_spec.setter
    def input_spec(self, value: Any) -> None:
        self._checked_spec = value

    @property
    def _checks_spec(self) -> bool:  # type: ignore[override]
        return self._checked_spec is not None or type(self).input_spec is not Functional.input_spec

    @property
    def nodes(self) -> list[Node]:
        """The layer calls between inputs and outputs, in topological order."""
        return self._plan

    def call(self, x: Any, training: bool | None = None, mask: Any = None, return_mask: bool = False) -> Any:
        if self.several_inputs is not None:
            return self.several_inputs.rest(self).call(x, training, mask, return_mask)
        values = self._cast_inputs(x)
        self._require_shapes(values)
        masks: dict[Any, Any] = {}
        if mask is not None:
            given = [mask.get(name) for name in self._names] if isinstance(mask, Mapping) else flat(mask)
            masks = dict(zip(self.inputs, masks_of(given, len(values)), strict=True))
        for node in self._plan:
            args, options = node.arguments(values)
            options.setdefault("training", training)
            known = options.pop("mask", None)
            if known is None and masks:
                known = _masks_for(node, masks)
            out, out_mask = call_with_mask(node.layer, *args, mask=known, **options)
            if isinstance(node.outputs, SymbolicArray):
                values[node.outputs] = out
            else:
                values.update(zip(flat(node.outputs), _as(node.outputs, out), strict=True))
            if out_mask is not None:
                results = flat(node.outputs)
                masks.update(zip(results, masks_of(out_mask, len(results)), strict=True))
        out = fill(self._end, values)
        if not return_mask:
            if masks:
                remember(out, _mapped(self._end, masks.get))
            return out
        out_masks = [masks.get(array) for array in self.outputs]
        return out, (out_masks if len(out_masks) > 1 else out_masks[0])

    def check_data(self, x: Any) -> None:
        if self.several_inputs is not None:
            return self.several_inputs.rest(self).check_data(x)
        values = self._cast_inputs(x)
        for node in self._plan:
            if all(values.get(source) is None for source in node.sources):
                continue
            given = _mapped(node.args[0], values.get)
            node.layer.check_data(given)
            if node.layer.keeps_values:
                values.update(zip(flat(node.outputs), flat(given), strict=True))

    def compute_output_shape(self, input_shape: Any) -> Any:
        given = in_order(self, self._names, map_shapes(ArraySpec, input_shape))
        shapes: dict[Any, Any] = dict(zip(self.inputs, given, strict=True))
        self._require_shapes(shapes)
        if all(tuple(known.shape) == array.shape for array, known in shapes.items()):
            return shape_of(self._end)
        for node in self._plan:
            args, options = node.arguments(shapes)
            shapes.update(zip(flat(node.outputs), flat(result(node.layer, args, options)), strict=True))
        return shape_of(fill(self._end, shapes))

    @property
    def takes_missing(self) -> bool:  # type: ignore[override]
        return any(layer.optional for layer in self.input_layers.values())

    def _input_shape(self) -> Any:
        return shape_of(self._start)

    def _cast_inputs(self, x: Any) -> dict[Any, Any]:
        """The arrays of data by input, in the dtypes of the inputs."""
        values: dict[Any, Any] = dict(zip(self.inputs, in_order(self, self._names, x), strict=True))
        for array, layer in self.input_layers.items():
            if values[array] is not None:
                values[array] = graph.cast(layer, values[array], array in self._integers)
        return values

    def known_outputs(self, x: Any) -> list[Any] | None:
        if self.several_inputs is None:
            self._require_shapes(dict(zip(self.inputs, in_order(self, self._names, x), strict=True)))
        return [array.shape for array in tree_leaves(self._end)]

    def _require_shapes(self, values: dict[Any, Any]) -> None:
        for name, (expected, x) in zip(self._names, values.items(), strict=True):
            if x is None and self.input_layers[expected].optional:
                continue
            values[expected] = graph.fitting(self, name, expected, x)

    def _arguments(self) -> dict[str, Any]:
        """The graph as plain data, except for the layers, which are under `layers` by name.

        `nodes` are the layer calls in order, with their arguments; an array in them, and in `inputs` and `outputs`, is
        `{"from": [layer, index of its call in this model, index of that call's output]}`. A class with a constructor
        of its own creates its graph: its arguments are those.
        """
        return {**graph.to_config(self), "name": self.name} if takes_graph(type(self)) else super()._arguments()

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Self:
        if "nodes" in config:
            inputs, outputs = graph.from_config(with_new_layers(config))
            further = {key: value for key, value in config.items() if key not in graph.KEYS}  # of a subclass
            model = cls(inputs, outputs, **further)
            if list(map(id, flat(_single(outputs)))) != list(map(id, flat(model._end))):
                model._written = tree_map(lambda array: array.name, outputs)
            return model
        return super().from_config(config, custom_objects)


def takes_graph(cls: type) -> bool:
    """Whether a class is created from inputs and outputs."""
    parameters = inspect.signature(cls.__init__).parameters  # type: ignore[misc]
    passes_all = any(each.kind is inspect.Parameter.VAR_POSITIONAL for each in parameters.values())
    return passes_all or {"inputs", "outputs"} <= parameters.keys()


def make_functional(cls: type) -> None:
    """Make a subclass of `Model` one of `Functional`, so that it can be a graph."""
    if issubclass(cls, Functional):
        return
    for base in cls.__bases__:
        if issubclass(base, Model) and base is not Model:
            make_functional(base)
    cls.__bases__ = tuple(Functional if base is Model else base for base in cls.__bases__)
    note_call(cls, Layer)


def _single(tree: Any) -> Any:
    return tree[0] if isinstance(tree, (list, tuple)) and len(tree) == 1 else tree


def _mapped(tree: Any, function: Any) -> Any:
    return tree_map(lambda leaf: function(leaf) if isinstance(leaf, SymbolicArray) else leaf, tree)


def _masks_for(node: Node, masks: dict[Any, Any]) -> Any:
    """The masks of a node's inputs, or None if all are None."""
    chosen = _mapped(node.args[0], masks.get)
    return None if all(leaf is None for leaf in flat(chosen)) else chosen


def _as(outputs: Any, out: Any) -> list[Any]:
    """The leaves of an output in the order of the symbolic outputs."""
    if (
        isinstance(outputs, (list, tuple))
        and isinstance(out, (list, tuple))
        and {*map(type, outputs)} == {SymbolicArray}
    ):
        return list(out)
    by_path = dict(tree_items(out))
    return [by_path[path] for path, _ in tree_items(outputs)]
