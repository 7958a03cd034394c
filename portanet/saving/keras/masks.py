"""Masks in graphs of Keras, which are operations there; models here pass masks from layer to layer on their own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from portanet.saving.keras.operations import is_operation

Entry = dict[str, Any]
MAKERS = ("Embedding", "Masking")
"""Layers whose inputs are compared with a number."""


def without_masks(entries: list[Entry]) -> list[Entry]:
    """The layers of a graph without the operations that compute masks of `Embedding` and `Masking`.

    Args:
        entries: The layers and operations of a graph, as described in a file.
    """
    compared = {
        (key, entry["config"].get("mask_value", 0))
        for entry in entries
        if entry.get("class_name") in MAKERS and isinstance(entry.get("config"), dict)
        for call in _calls(entry)
        for key in _histories(call.get("args"))
    }
    masks: set[Any] = set()
    for kind in ("NotEqual", "Any"):
        for entry in entries:
            calls = _calls(entry) if entry.get("class_name") == kind and is_operation(entry.get("module")) else []
            if calls and all(_is_mask(call, compared, masks) for call in calls):
                masks.add(entry.get("name"))
    for entry in entries:  # used for something else as well
        for call in _calls(entry) if entry.get("name") not in masks else ():
            masks -= {key[0] for key in _histories(_without_mask(call))}
    return [_without(entry, masks) for entry in entries if entry.get("name") not in masks]


def _is_mask(call: dict[str, Any], compared: set[Any], masks: set[Any]) -> bool:
    """Whether an operation compares the input of a layer with its number, or joins the results of that."""
    args = call.get("args")
    if not isinstance(args, list) or not args:
        return False
    keys = list(_histories(args[0]))
    if len(args) == 2 and len(keys) == 1 and isinstance(args[1], (int, float)):
        return (keys[0], args[1]) in compared
    return len(args) == 1 and len(keys) == 1 and keys[0][0] in masks


def _without_mask(call: dict[str, Any]) -> Any:
    options = call.get("kwargs")
    return [call.get("args"), {k: v for k, v in options.items() if k != "mask"} if isinstance(options, dict) else None]


def _without(entry: Entry, masks: set[Any]) -> Entry:
    def cleaned(call: dict[str, Any]) -> dict[str, Any]:
        options = call.get("kwargs")
        if not isinstance(options, dict) or not any(key[0] in masks for key in _histories(options.get("mask"))):
            return call
        return {**call, "kwargs": {key: value for key, value in options.items() if key != "mask"}}

    nodes = entry.get("inbound_nodes")
    if not masks or not isinstance(nodes, list):
        return entry
    return {**entry, "inbound_nodes": [cleaned(call) if isinstance(call, dict) else call for call in nodes]}


def _calls(entry: Entry) -> list[dict[str, Any]]:
    nodes = entry.get("inbound_nodes")
    return [call for call in nodes if isinstance(call, dict)] if isinstance(nodes, list) else []


def _histories(tree: Any) -> Iterator[tuple[Any, ...]]:
    """Of which layer, call and output the arrays in a description are."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, list):
            pending += reversed(node)
        elif isinstance(node, dict):
            config = node.get("config")
            if node.get("class_name") == "__keras_tensor__" and isinstance(config, dict):
                match config.get("keras_history"):
                    case [str(layer), int(call), int(index)]:
                        yield layer, call, index
            else:
                pending += reversed(node.values())
