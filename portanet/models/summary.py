"""The table of a model's layers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from portanet import checks
from portanet.callbacks.watch import all_layers, watched
from portanet.layers import Layer
from portanet.layers.output_shapes import input_specs, trial
from portanet.layers.preprocessing.host_layer import has_host_part
from portanet.layers.several_inputs import map_shapes, shape_of
from portanet.layers.symbolic import SymbolicArray, nodes_before
from portanet.models.functional import Functional
from portanet.models.model import Model
from portanet.variables import Variable


@dataclass
class Row:
    """A layer in the table; `level` is its nesting depth."""

    name: str
    layer: Layer
    shape: Any
    level: int
    sources: list[str]
    count: int = 0
    size: int = 0


def summary(
    model: Model, expand_nested: bool = False, show_trainable: bool = False, layer_range: Sequence[str] | None = None
) -> str:
    """The text that `Model.summary` prints."""
    expand_nested = checks.boolean("expand_nested", expand_nested, "summary")
    show_trainable = checks.boolean("show_trainable", show_trainable, "summary")
    rows = list(_rows(model, _shapes_seen(model) if model._built else {}, expand_nested, 0))
    _count(rows)
    if layer_range is not None:
        rows = _between(rows, layer_range)
    head = ["Layer (type)", "Output shape", "Params", "Memory"]
    table = [
        [f"{'  ' * row.level}{row.name} ({row.layer._kind})", _text(row.shape), _parameters(row), _bytes(row)]
        for row in rows
    ]
    if any(row.sources for row in rows):
        head.append("Connected to")
        for cells, row in zip(table, rows, strict=True):
            cells.append(", ".join(row.sources) or "-")
    if show_trainable:
        head.append("Trained")
        trained = set(model.trainable_weights)
        for cells, row in zip(table, rows, strict=True):
            own = row.layer.weights
            cells.append("-" if not own else "yes" if any(v in trained for v in own) else "no")
    widths = [max(len(line[i]) for line in [head, *table]) for i in range(len(head))]
    rule = "  ".join("-" * width for width in widths)
    lines = [
        "  ".join(
            f"{c:>{w}}" if i in (2, 3) else f"{c:<{w}}" for i, (c, w) in enumerate(zip(line, widths, strict=True))
        )
        for line in [head, *table]
    ]
    text = [f"Model '{model.name}' on {model.backend.name}", rule, lines[0].rstrip(), rule]
    text += [*(line.rstrip() for line in lines[1:]), rule]
    if not model._built:
        return "\n".join([*text, "The model is not built: parameters are known when it has seen data, or has an Input"])
    for title, variables in (
        ("Total", model.weights),
        ("Trainable", model.trainable_weights),
        ("Non-trainable", model.non_trainable_weights),
    ):
        size = sum(v.nbytes for v in variables)
        text.append(f"{title} params: {sum(v.size for v in variables):,} ({_memory(size)})")
    return "\n".join(text)


def _rows(model: Model, seen: dict[Layer, Any], expand: bool, level: int) -> Iterator[Row]:
    names = model.sublayers().names
    sources: dict[Layer, list[str]] = {}
    if isinstance(model, Functional):
        labels = {array: names[layer] for array, layer in model.input_layers.items()}
        for node in model.nodes:
            sources.setdefault(node.layer, []).extend(_label(labels, names, source) for source in node.sources)
    for layer, name in names.items():
        yield Row(name, layer, seen.get(layer), level, sources.get(layer, []))
        if expand and isinstance(layer, Model):
            yield from _rows(layer, {**_shapes_seen(layer), **seen} if layer._built else seen, expand, level + 1)


def _label(labels: dict[SymbolicArray, str], names: dict[Layer, str], array: SymbolicArray) -> str:
    if array in labels:
        return labels[array]
    return names[array.node.layer] + (f"[{array.place}]" if array.place else "")


def _shapes_seen(model: Model) -> dict[Layer, Any]:
    """The output shape of each layer (at its first call), determined by a trial for models that are not graphs."""
    shapes: dict[Layer, Any] = {}
    if isinstance(model, Functional) or has_host_part(model):
        shapes = {array.node.layer: array.shape for array in model.inputs}
        for node in nodes_before(model.outputs, model.inputs):
            shapes.setdefault(node.layer, shape_of(node.outputs))
        return shapes
    x = input_specs(model, model._input_shape())
    layers = all_layers(model)

    def record_shape(path: str, _: Any, options: dict[str, Any], out: Any) -> None:
        shape = shape_of(out[0] if options.get("return_mask") else out)
        shapes.setdefault(layers[path], map_shapes(lambda s: (None, *s[1:]), shape))

    with watched(layers, record_shape):
        trial(model, (x,), {})
    return shapes


def _count(rows: list[Row]) -> None:
    """Count the parameters by layer; those shared with an earlier row, or in a listed sublayer, count only there."""
    seen: set[Variable] = set()
    for row, below in zip(rows, [*rows[1:], None], strict=True):
        nested = below is not None and below.level > row.level
        own = [v for v in row.layer.weights if nested or v not in seen]
        row.count, row.size = sum(v.size for v in own), sum(v.nbytes for v in own)
        seen.update([] if nested else own)


def _between(rows: list[Row], layer_range: Any) -> list[Row]:
    """The rows from one layer to another, by regular expressions for their names."""
    if (
        not isinstance(layer_range, (list, tuple))
        or len(layer_range) != 2
        or not all(isinstance(name, str) for name in layer_range)
    ):
        raise checks.invalid("layer_range", layer_range, "the names of two layers, the first and the last", "summary")
    found = [[i for i, row in enumerate(rows) if re.match(name, row.name)] for name in layer_range]
    for name, places in zip(layer_range, found, strict=True):
        if not places:
            names = ", ".join(row.name for row in rows)
            raise ValueError(
                f"Argument `layer_range` of summary must name layers of the model: {names}. Received: {name!r}"
            )
    first, last = min(found[0]), max(found[1])
    return rows[min(first, last) : max(first, last) + 1]


def _parameters(row: Row) -> str:
    return f"{row.count:,}" if row.layer._built or row.layer.needs_no_build else "?"


def _text(shape: Any) -> str:
    return "?" if shape is None else str(shape)


def _bytes(row: Row) -> str:
    return _memory(row.size) if row.count else "0"


def _memory(size: int) -> str:
    """Bytes in a readable unit."""
    amount, unit = float(size), "B"
    for larger in ("KiB", "MiB", "GiB"):
        if amount < 1024:
            break
        amount, unit = amount / 1024, larger
    return f"{amount:.0f} B" if unit == "B" else f"{amount:.2f} {unit}"
