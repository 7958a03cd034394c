"""The nodes of a graph of layers, and the graph as plain data."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from portanet.autodiff import array_namespace, unwrap
from portanet.backends import backend_class_of, forward_backend_of
from portanet.layers import InputLayer, Layer
from portanet.layers.operation import Operation
from portanet.layers.operation_call import OperationCall
from portanet.layers.output_shapes import ArraySpec
from portanet.layers.symbolic import Node, SymbolicArray, nodes_before
from portanet.mixed_precision import cast_integers
from portanet.models.model import Model
from portanet.models.named_inputs import flat
from portanet.tree import tree_map

if TYPE_CHECKING:
    from portanet.models.functional import Functional


def nodes_between(model: Model) -> list[Node]:
    """The nodes between a model's inputs and outputs, in topological order.

    Raises:
        ValueError: An output needs an input that is not among the model's.
    """
    inputs = dict.fromkeys(model.inputs)
    if len(inputs) < len(model.inputs):
        raise ValueError(f"Model '{model.name}' takes each input once. Received: inputs={model.inputs}")
    nodes = nodes_before(model.outputs, inputs)
    for node in nodes:
        if not node.args:
            raise ValueError(
                f"An output of model '{model.name}' depends on the input '{node.layer.name}', which is not among its "
                f"inputs; pass it as well. Received: inputs {', '.join(repr(i.name) for i in inputs)}"
            )
    return nodes


def input_layer(array: SymbolicArray) -> InputLayer:
    """The layer of an input: that of the `Input`, or a new one for an output of another model's layer."""
    layer = array.node.layer
    if not isinstance(layer, InputLayer):
        layer = InputLayer(array.shape[1:], array.shape[0], array.dtype if "int" in array.dtype else None)
        layer.name = array.name
    return layer


def integer_arrays(nodes: list[Node]) -> set[SymbolicArray]:
    """The arrays of a graph that reach a layer that takes integers before one that casts them."""
    arrays: set[SymbolicArray] = set()
    for node in reversed(nodes):
        passes_on = not node.layer.casts_integers and not arrays.isdisjoint(flat(node.outputs))
        if passes_on or layer_takes_integers(node.layer):
            arrays.update(node.sources)
    return arrays


def cast(layer: InputLayer, x: Any, keeps_integers: bool) -> Any:
    """Data of an input in its declared dtype; without one, integers in the compute dtype unless they are kept."""
    if layer.declared is not None:
        return layer.cast(x)
    return x if keeps_integers else cast_integers(x, layer)


def with_rank_of(shape: tuple[int | None, ...], x: Any) -> Any:
    """Data with a last axis of size 1 added or taken away, where an input of this shape needs that, as in Keras.

    Args:
        shape: The shape of the input, with the batch axis.
        x: An array, or what has the shape of one.
    """
    own = tuple(x.shape)
    if len(own) + 1 == len(shape) and shape[-1] == 1:
        fitting = (*own, 1)
    elif len(own) == len(shape) + 1 and own[-1] == 1:
        fitting = own[:-1]
    else:
        return x
    plain = unwrap(x)
    if backend_class_of(plain) is None and forward_backend_of(plain) is None:
        return ArraySpec(fitting, getattr(x, "dtype", None))
    return array_namespace(x).reshape(x, fitting)


def fitting(model: Model, name: str, expected: SymbolicArray, x: Any) -> Any:
    """The data of an input in its shape, but for the batch; see `with_rank_of`.

    Args:
        model: The model, for errors.
        name: The name of the input.
        expected: The input.
        x: An array, or what has the shape of one.

    Raises:
        ValueError: It has another shape.
    """
    if not hasattr(x, "shape"):
        raise ValueError(
            f"Input '{name}' of model '{model.name}' must be an array of shape {expected.shape}. Received: {x!r}"
        )
    if len(x.shape) != len(expected.shape):
        x = with_rank_of(expected.shape, x)
    shape = tuple(x.shape)
    if len(shape) != len(expected.shape) or any(
        m is not None and n is not None and m != n for m, n in zip(expected.shape[1:], shape[1:], strict=True)
    ):
        raise ValueError(
            f"Input '{name}' of model '{model.name}' takes arrays of shape {expected.shape}. Received: shape {shape}"
        )
    return x


def layer_takes_integers(layer: Layer) -> bool:
    """Whether a layer, or one in it, takes integers."""
    return any(part.takes_integers for part in layer.flatten_layers())


def to_config(model: Functional) -> dict[str, Any]:
    """A model's layers by name, the calls of layers and functions, and the positions of inputs and outputs in these."""
    names = model.sublayers().names
    positions: dict[SymbolicArray, list[Any]] = {}
    for array, layer in model.input_layers.items():
        positions[array] = [names[layer], 0, 0]
    calls: dict[str, int] = {}
    for node in model.nodes:
        name = names[node.layer]
        call = calls.setdefault(name, 0)
        calls[name] += 1
        positions.update({array: [name, call, i] for i, array in enumerate(flat(node.outputs))})

    def encode(tree: Any) -> Any:
        return tree_map(lambda leaf: {"from": positions[leaf]} if isinstance(leaf, SymbolicArray) else leaf, tree)

    def encode_node(node: Node) -> dict[str, Any]:
        if isinstance(node.layer, OperationCall):
            args, options = node.layer.arguments(node.sources)
            function = node.layer.function
            own = function if isinstance(function, Operation) else f"ops.{function.__name__}"
            start = {"operation": own, "name": names[node.layer]}
        else:
            args, options, start = node.args, node.options, {"layer": names[node.layer]}
        return {**start, "args": list(encode(args)), "options": encode(options)}

    return {
        "layers": {name: layer for layer, name in names.items() if not isinstance(layer, OperationCall)},
        "nodes": list(map(encode_node, model.nodes)),
        "inputs": encode(model.input),
        "outputs": encode(model.output),
    }


def named(layers: dict[str, Any]) -> dict[str, Layer]:
    """The layers, named as in their model."""
    for name, layer in layers.items():
        layer.name, layer._adopted = name, True
    return layers


KEYS = ("layers", "nodes", "inputs", "outputs")
"""What `to_config` returns."""


def from_config(config: dict[str, Any]) -> tuple[Any, Any]:
    """The inputs and outputs of a graph rebuilt from a configuration."""
    layers = named(config["layers"])
    calls: dict[str, list[list[SymbolicArray]]] = {
        name: [[layer.output]] for name, layer in layers.items() if isinstance(layer, InputLayer)
    }

    def decode(tree: Any) -> Any:
        match tree:
            case {"from": [str(name), int(call), int(index)]} if len(tree) == 1:
                return calls[name][call][index]
            case dict():
                return {key: decode(branch) for key, branch in tree.items()}
            case list() | tuple():
                return type(tree)(map(decode, tree))
        return tree

    for node in config["nodes"]:
        args, options = decode(node["args"]), decode(node["options"])
        if "operation" in node:
            name = node["name"]
            outputs = flat(_function(node["operation"])(*args, **options))
            named({name: outputs[0].node.layer})
        else:
            name = node["layer"]
            outputs = flat(with_keys_of(layers[name](*args, **options), getattr(layers[name], "_written", None)))
        calls.setdefault(name, []).append(outputs)
    return decode(config["inputs"]), decode(config["outputs"])


def with_keys_of(tree: Any, other: Any) -> Any:
    """A tree with the entries of dicts in the order of another's, if that has the same ones."""
    if isinstance(tree, dict) and isinstance(other, dict) and tree.keys() == other.keys():
        return {key: with_keys_of(tree[key], other[key]) for key in other}
    if isinstance(tree, (list, tuple)) and isinstance(other, (list, tuple)) and len(tree) == len(other):
        return [with_keys_of(*pair) for pair in zip(tree, other, strict=True)]
    return tree


def _function(name: Any) -> Callable[..., Any]:
    if isinstance(name, Operation):
        return name
    from portanet.ops.operation import find_operation  # only now all functions

    package, _, plain = str(name).partition(".")
    function = find_operation(plain) if package == "ops" else None
    if function is None:
        raise ValueError(f"it names the operation {str(name)[:100]!r}, but portanet.ops has no such function")
    return function
