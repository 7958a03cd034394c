"""Graphs of layers in files of Keras, where each layer has the list of its calls."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from portanet import layers
from portanet.layers import InputLayer, Layer
from portanet.layers.operation_call import OperationCall
from portanet.layers.ordering import arrays_in_order
from portanet.layers.symbolic import Node, SymbolicArray
from portanet.saving.keras.kinds import kinds
from portanet.saving.keras.operations import KerasOperation, call_in_keras
from portanet.saving.keras.variables import layers_of

Call = tuple[list[Any], dict[str, Any]]
"""The positional and the keyword arguments of a layer's call."""
SEPARATE = (layers.MultiHeadAttention, layers.GroupQueryAttention)
"""Layers that take a list of arrays here, and separate ones in Keras."""
RECURRENT = (layers.RNN, layers.Bidirectional)


@dataclass(frozen=True)
class Output:
    """An output in a graph: of which layer, of which of its calls, and its index among the outputs."""

    layer: str
    call: int
    index: int


def graph_from_config(
    named: Mapping[str, Layer | KerasOperation], calls: Mapping[str, list[Call]], inputs: Any, outputs: Any
) -> Any:
    """Make the calls of a graph.

    Args:
        named: The layers and operations by name.
        calls: Their calls, with `Output` in place of arrays.
        inputs: Outputs of layers as lists `[layer, call, index]`, or a list or dict of them.
        outputs: Likewise.

    Returns:
        The inputs and outputs as symbolic arrays.

    Raises:
        ValueError: A call needs an output that there is not.
    """
    made: dict[str, list[list[SymbolicArray]]] = {
        name: [[layer.output]] if isinstance(layer, InputLayer) else [] for name, layer in named.items()
    }

    def find(output: Output) -> SymbolicArray:
        arrays = made[output.layer][output.call] if 0 <= output.call < len(made[output.layer]) else []
        if not 0 <= output.index < len(arrays):
            raise ValueError(f"layer {output.layer[:100]!r} has no output {output.index} of call {output.call}")
        return arrays[output.index]

    waiting: dict[str, list[tuple[str, int]]] = {}  # by layer, the calls that need its next one
    ready = deque((name, 0) for name, several in calls.items() if several)
    done = 0
    while ready:
        name, number = ready.popleft()
        args, options = calls[name][number]
        missing = next((o for o in _leaves((args, options)) if not _is_made(o, named, made)), None)
        if missing is not None:
            waiting.setdefault(missing.layer, []).append((name, number))
            continue
        args, options = _filled((args, options), find)
        made[name].append(arrays_in_order(_called(named[name], args, options)))
        done += 1
        ready.extend(waiting.pop(name, ()))
        if number + 1 < len(calls[name]):
            ready.append((name, number + 1))
    if done < sum(map(len, calls.values())):
        stuck = next(iter(waiting))
        raise ValueError(f"a call needs an output of layer {stuck[:100]!r} that there is not")

    def ends(tree: Any) -> Any:
        match tree:
            case [str(name), int(call), int(index)] if name in named:
                return find(Output(name, call - _first_call(named[name]), index))
            case dict():
                return {key: ends(branch) for key, branch in tree.items()}
            case list() | tuple():
                return type(tree)(ends(branch) for branch in tree)
        raise ValueError(f"an input or output is none of a layer: {str(tree)[:100]!r}")

    return ends(inputs), ends(outputs)


def graph_config(model: Any, names: Mapping[Layer, str], encode: Callable[[Any], Any]) -> dict[str, Any]:
    """The calls of each layer of a graph, and its inputs and outputs, as Keras describes them.

    Args:
        model: The graph.
        names: The names of its layers.
        encode: The JSON of other values.
    """
    outputs: dict[SymbolicArray, list[Any]] = {a: [names[i], 0, 0] for a, i in model.input_layers.items()}
    calls: dict[str, list[Any]] = {names[layer]: [] for layer in layers_of(model)}

    def described(tree: Any) -> Any:
        if isinstance(tree, SymbolicArray):
            config = {"shape": list(tree.shape), "dtype": tree.dtype, "keras_history": outputs[tree]}
            return {"class_name": "__keras_tensor__", "config": config}
        if isinstance(tree, (list, tuple)):
            return type(tree)(described(branch) for branch in tree)
        if isinstance(tree, dict):
            return {key: described(branch) for key, branch in tree.items()}
        return encode(tree)

    for node in model.nodes:
        name = names[node.layer]
        args, options = _as_in_keras(node)
        outputs.update({array: [name, len(calls[name]), i] for i, array in enumerate(arrays_in_order(node.outputs))})
        calls[name].append({"args": described(args), "kwargs": described(options)})

    def ends(tree: Any) -> Any:
        if isinstance(tree, dict):
            return {key: ends(branch) for key, branch in tree.items()}
        if isinstance(tree, (list, tuple)):
            return type(tree)(ends(branch) for branch in tree)
        name, call, index = outputs[tree]
        return [name, call + _first_call(tree.node.layer), index]

    return {"calls": calls, "input_layers": ends(model.input), "output_layers": ends(model.output)}


def _first_call(layer: Layer | KerasOperation) -> int:
    """The number of a layer's first call in inputs and outputs: a graph has one before, in which it was made."""
    return int(isinstance(layer, kinds().functional))


def _called(layer: Layer | KerasOperation, args: list[Any], options: dict[str, Any]) -> Any:
    """Call a layer. Keras passes `training` on whatever is in the graph, and None for what is missing."""
    options = {key: value for key, value in options.items() if value is not None and key != "training"}
    while args and args[-1] is None:
        args = args[:-1]
    return layer(*args, **options)


def _as_in_keras(node: Node) -> tuple[list[Any], dict[str, Any]]:
    """The arguments of a call in Keras's form."""
    if isinstance(node.layer, OperationCall):
        return call_in_keras(node.layer, node.sources)[:2]
    args, options = list(node.args), {key: value for key, value in node.options.items() if value is not None}
    if isinstance(node.layer, SEPARATE) and isinstance(args[0], (list, tuple)):
        return [*args[0], *args[1:]], options
    if isinstance(node.layer, RECURRENT) and isinstance(args[0], (list, tuple)):
        x, *states = args[0]
        return [x, *args[1:]], {**options, **({"initial_state": states} if states else {})}
    return args, options


def _leaves(tree: Any) -> Iterator[Output]:
    if isinstance(tree, Output):
        yield tree
    elif isinstance(tree, (list, dict, tuple)):
        for branch in tree.values() if isinstance(tree, dict) else tree:
            yield from _leaves(branch)


def _filled(tree: Any, find: Callable[[Output], SymbolicArray]) -> Any:
    if isinstance(tree, Output):
        return find(tree)
    if isinstance(tree, dict):
        return {key: _filled(branch, find) for key, branch in tree.items()}
    return type(tree)(_filled(branch, find) for branch in tree) if isinstance(tree, (list, tuple)) else tree


def _is_made(output: Output, named: Mapping[str, Any], made: Mapping[str, list[Any]]) -> bool:
    if output.layer not in named:
        raise ValueError(f"a call needs an output of layer {output.layer[:100]!r}, which there is not")
    return output.call < len(made[output.layer])
