"""What is in a graph of layers, and the graph as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from portanet.layers import InputLayer, Layer
from portanet.layers.symbolic import Node, SymbolicArray
from portanet.models.model import Model, flat
from portanet.tree import tree_map

if TYPE_CHECKING:
    from portanet.models.functional import Functional


def nodes_between(model: Model) -> list[Node]:
    """The nodes on the way from a model's inputs to its outputs, what is needed first first.

    Raises:
        ValueError: An output needs an input that is not among the model's, or an input leads to no output.
    """
    inputs = model.inputs
    if len(set(inputs)) < len(inputs):
        raise ValueError(f"Model '{model.name}' takes each input once. Received: inputs={inputs}")
    used: set[SymbolicArray] = set()
    nodes: dict[int, Node] = {}
    pending = list(model.outputs)
    while pending:
        array = pending.pop()
        if array in inputs:
            used.add(array)
        elif not array.node.args:
            raise ValueError(
                f"An output of model '{model.name}' depends on the input '{array.name}', which is not among its "
                f"inputs; pass it as well. Received: inputs {', '.join(repr(each.name) for each in inputs)}"
            )
        elif array.node.number not in nodes:
            nodes[array.node.number] = array.node
            pending += array.node.sources
    surplus = [each.name for each in inputs if each not in used]
    if surplus:
        raise ValueError(
            f"No output of model '{model.name}' depends on its input '{surplus[0]}'; leave it out, or use it. "
            f"Received: outputs {', '.join(repr(each.name) for each in model.outputs)}"
        )
    return [nodes[number] for number in sorted(nodes)]


def entrance(array: SymbolicArray) -> InputLayer:
    """The layer where an input enters: that of the `Input`, or a new one for what a layer of another model gives."""
    layer = array.node.layer
    if not isinstance(layer, InputLayer):
        layer = InputLayer(array.shape[1:], array.shape[0], array.dtype)
        layer.name = array.name
    return layer


def to_config(model: Functional) -> dict[str, Any]:
    """A model's layers by name, the calls of them, and where inputs and outputs are among these."""
    names = {layer: name for name, layer in model.sublayers().items()}
    places: dict[SymbolicArray, list[Any]] = {}
    for array, layer in model.entrances.items():
        places[array] = [names[layer], 0, 0]
    calls: dict[str, int] = {}
    for node in model.nodes:
        name = names[node.layer]
        call = calls.setdefault(name, 0)
        calls[name] += 1
        places.update({array: [name, call, i] for i, array in enumerate(flat(node.outputs))})

    def written(tree: Any) -> Any:
        return tree_map(lambda leaf: {"from": places[leaf]} if isinstance(leaf, SymbolicArray) else leaf, tree)

    return {
        "layers": {name: layer for layer, name in names.items()},
        "nodes": [
            {"layer": names[node.layer], "args": list(written(node.args)), "options": written(node.options)}
            for node in model.nodes
        ],
        "inputs": written(model.input),
        "outputs": written(model.output),
    }


def named(layers: dict[str, Any]) -> dict[str, Layer]:
    """The layers, with the names that they have in their model."""
    for name, layer in layers.items():
        layer.name, layer._adopted = name, True
    return layers


def from_config(config: dict[str, Any]) -> tuple[Any, Any]:
    """The inputs and outputs of a graph drawn anew with the layers of a configuration."""
    layers = named(config["layers"])
    calls: dict[str, list[list[SymbolicArray]]] = {
        name: [[layer.output]] for name, layer in layers.items() if isinstance(layer, InputLayer)
    }

    def read(tree: Any) -> Any:
        if isinstance(tree, dict):
            if tree.keys() == {"from"}:
                name, call, place = tree["from"]
                return calls[name][call][place]
            return {key: read(branch) for key, branch in tree.items()}
        return [read(branch) for branch in tree] if isinstance(tree, (list, tuple)) else tree

    for node in config["nodes"]:
        outputs = layers[node["layer"]](*read(node["args"]), **read(node["options"]))
        calls.setdefault(node["layer"], []).append(flat(outputs))
    return read(config["inputs"]), read(config["outputs"])
