"""The order of the layers of a graph: Keras's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from portanet.layers.core.masking import Masking
from portanet.layers.symbolic import Node, SymbolicArray

if TYPE_CHECKING:
    from portanet.layers.base import Layer


def layers_in_order(entrances: Mapping[Any, Layer], outputs: Any) -> list[Layer]:
    """The layers of a graph by their distance from the outputs, then in the order of a search from the outputs.

    `set_weights(get_weights())` between libraries relies on it. Source: keras/src/ops/function.py of Keras 3,
    `map_graph`.

    Args:
        entrances: The input layers by the symbolic arrays of the inputs.
        outputs: The tree of symbolic outputs.
    """
    nodes, positions = _searched(entrances, outputs)
    depths: dict[Any, int] = {}
    layer_depths: dict[Layer, int] = {}
    masks: dict[Any, int] = {}
    for node in reversed(nodes):
        layer = entrances.get(node) or node.layer
        depth = depths[node] = layer_depths[layer] = max(depths.get(node, 0), layer_depths.get(layer, 0))
        above = max(depth, masks.get(node, 0)) + 1
        for source in () if node in entrances else _sources(node, entrances):
            depths[source] = max(above, depths.get(source, 0))
            if layer._takes_mask and source not in entrances and isinstance(source.layer, Masking):
                # Keras computes the mask by two operations beside the layer, of which the first has its input.
                masks[source] = max(depth + 2, masks.get(source, 0))
    for layer in entrances.values():  # those that no output depends on
        if layer not in layer_depths:
            layer_depths[layer], positions[layer] = 0, -1
    return sorted(layer_depths, key=lambda layer: (-layer_depths[layer], positions[layer]))


def _searched(entrances: Mapping[Any, Layer], outputs: Any) -> tuple[list[Any], dict[Layer, int]]:
    """The nodes of a graph (for inputs, their arrays), each after those it depends on, and when layers were met."""
    nodes: dict[Any, None] = {}
    positions: dict[Layer, int] = {}
    for output in arrays_in_order(outputs):
        pending = [(_origin(output, entrances), False)]
        while pending:
            node, complete = pending.pop()
            if complete:
                nodes.setdefault(node)
                continue
            if node in nodes:
                continue
            positions.setdefault(entrances.get(node) or node.layer, len(positions))
            pending.append((node, True))
            if node not in entrances:
                pending += [(source, False) for source in reversed(_sources(node, entrances))]
    return list(nodes), positions


def _sources(node: Node, entrances: Mapping[Any, Layer]) -> list[Any]:
    return [_origin(leaf, entrances) for leaf in arrays_in_order((node.args, node.options))]


def _origin(array: SymbolicArray, entrances: Mapping[Any, Layer]) -> Any:
    """The node whose output an array is; the array itself if it is an input of the model."""
    return array if array in entrances else array.node


def arrays_in_order(tree: Any) -> list[SymbolicArray]:
    """The symbolic arrays of a tree in Keras's order: dicts by their keys, sorted."""
    if isinstance(tree, dict):
        return [leaf for key in sorted(tree, key=str) for leaf in arrays_in_order(tree[key])]
    if isinstance(tree, (list, tuple)):
        return [leaf for branch in tree for leaf in arrays_in_order(branch)]
    return [tree] if isinstance(tree, SymbolicArray) else []
