"""The table of a model's layers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from portanet import checks
from portanet.callbacks.watch import all_layers, watched
from portanet.layers import Layer
from portanet.layers.output_shapes import input_specs, trial
from portanet.layers.several_inputs import map_shapes, shape_of
from portanet.layers.symbolic import SymbolicArray
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
    sources: list[str] = field(default_factory=list)
    count: int = 0
    size: int = 0


def summary(model: Model, expand_nested: bool = False, show_trainable: bool = False) -> str:
    """The text that `Model.summary` prints."""
    expand_nested = checks.boolean("expand_nested", expand_nested, "summary")
    show_trainable = checks.boolean("show_trainable", show_trainable, "summary")
    rows = list(_rows(model, _shapes_seen(model), expand_nested, 0))
    _count(rows)
    head = ["Layer (type)", "Output shape", "Params", "Memory"]
    table = [
        [f"{'  ' * row.level}{row.name} ({row.layer._kind})", _text(row.shape), f"{row.count:,}", _bytes(row)]
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
            yield from _rows(layer, {**_shapes_seen(layer), **seen} if layer.built else seen, expand, level + 1)


def _label(labels: dict[SymbolicArray, str], names: dict[Layer, str], array: SymbolicArray) -> str:
    if array in labels:
        return labels[array]
    return names[array.node.layer] + (f"[{array.place}]" if array.place else "")


def _shapes_seen(model: Model) -> dict[Layer, Any]:
    """The output shape of each layer (at its first call), determined by a trial for models that are not graphs."""
    shapes: dict[Layer, Any] = {}
    if isinstance(model, Functional):
        shapes = {layer: array.shape for array, layer in model.input_layers.items()}
        for node in model.nodes:
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
