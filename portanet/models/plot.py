"""Plots of models: as text, as pictures, and in Graphviz's DOT language."""

from __future__ import annotations

import os
import pathlib
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from portanet import checks, drawing
from portanet.layers import InputLayer, Layer
from portanet.layers.several_inputs import shape_of
from portanet.layers.symbolic import SymbolicArray
from portanet.models.graph import nodes_between
from portanet.models.model import Model
from portanet.models.named_inputs import flat


@dataclass(frozen=True)
class Box:
    """A call of a layer, or an input."""

    name: str
    kind: str
    details: str
    sources: tuple[int, ...]
    group: tuple[str, ...] = ()
    layer: Layer | None = field(default=None, repr=False, compare=False)


class Shown(NamedTuple):
    """What is shown of layers, beside their names and classes."""

    shapes: bool
    dtypes: bool
    activations: bool
    trainable: bool

    def of(self, layer: Layer, outputs: Any) -> str:
        """The text of a call."""
        parts = [str(shape_of(outputs))] if self.shapes else []
        if self.dtypes:
            parts.append(" ".join(dict.fromkeys(array.dtype for array in flat(outputs))))
        activation = getattr(layer, "activation", None)
        if self.activations and activation is not None:
            parts.append(getattr(activation, "__name__", type(activation).__name__))
        if self.trainable and layer.weights:
            parts.append("trainable" if layer.trainable else "frozen")
        return ", ".join(parts)


@dataclass(frozen=True, repr=False)
class Diagram:
    """The result of `plot_model`: prints as a list; notebooks show its picture, which `draw` returns and `save` writes;
    `dot` is the graph in the DOT language.

    Example:
        >>> from portanet import Sequential, layers
        >>> from portanet.models import plot_model
        >>> plot_model(Sequential([layers.Input((2,)), layers.Dense(1)])).dot[:7]
        'digraph'
    """

    boxes: list[Box]
    results: list[int]
    show_shapes: bool
    rankdir: str
    dpi: int = 200
    splines: str = "ortho"
    title: str = ""

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """One line per call: the output, the layer and its inputs, and the shape."""
        calls = [
            f"{box.kind}({', '.join(self.boxes[i].name for i in box.sources)})" if box.sources else box.kind
            for box in self.boxes
        ]
        label, width = max(len(box.name) for box in self.boxes), max(map(len, calls))
        return [
            f"{box.name:<{label}} = {call:<{width}}  {box.details if self.show_shapes else ''}".rstrip()
            + ("  -> output" if i in self.results else "")
            for i, (box, call) in enumerate(zip(self.boxes, calls, strict=True))
        ]

    @property
    def dot(self) -> str:
        """The graph in the DOT language."""
        lines = [
            "digraph {",
            f"  rankdir={self.rankdir}",
            f"  dpi={self.dpi} splines={self.splines}",
            '  node [shape=box fontname="monospace"]',
        ]
        lines += self._cluster((), "  ")
        lines += [f"  v{source} -> v{i}" for i, box in enumerate(self.boxes) for source in box.sources]
        return "\n".join([*lines, "}"])

    def _box(self, i: int) -> str:
        box = self.boxes[i]
        style = " style=rounded" if not box.sources else " peripheries=2" if i in self.results else ""
        details = f"\\n{_quoted(box.details)}" if box.details and self.show_shapes else ""
        return f'  v{i} [label="{_quoted(f"{box.name}: {box.kind}")}{details}"{style}]'

    def _cluster(self, group: tuple[str, ...], margin: str) -> list[str]:
        """The boxes of a group, and the groups in it."""
        lines, depth, known = [], len(group), set()
        for i, box in enumerate(self.boxes):
            inner = box.group[: depth + 1]
            if box.group[:depth] != group or inner in known:
                continue
            if len(inner) == depth:
                lines.append(margin + self._box(i))
                continue
            known.add(inner)
            name = _quoted(inner[-1])
            lines += [f'{margin}subgraph "cluster_{name}" {{', f'{margin}  label="{name}"']
            lines += [*self._cluster(inner, margin + "  "), margin + "}"]
        return lines

    def draw(self) -> drawing.Drawing:
        """The picture, which notebooks show and `.save(path)` writes; `.svg` is its source."""
        counted: set[Layer] = set()
        boxes = []
        compact = len(self.boxes) > COMPACT
        for i, box in enumerate(self.boxes):
            parameters = ""
            if box.layer is not None and box.layer.weights:
                shared = box.layer in counted
                counted.add(box.layer)
                parameters = "shared" if shared else f"{box.layer.count_params():,} parameters"
            details = [text for text in (box.details if self.show_shapes else "", parameters) if text]
            head = f"{box.name}: {box.kind}" if box.kind.lower() != box.name.lower() else box.name
            lines = (" · ".join([head, *details]),) if compact else tuple(filter(None, (head, " · ".join(details))))
            frame = "round" if not box.sources else "bold" if i in self.results else "plain"
            boxes.append(drawing.Box(lines, box.sources, box.group, _fill(box.layer), frame))
        return drawing.Drawing(boxes, self.rankdir, self.title)

    def _repr_html_(self) -> str:
        return self.draw()._repr_html_()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the graph to a file: a picture (.svg; .png or .pdf, which need matplotlib), text (.txt), or DOT (.dot,
        .gv).

        Raises:
            ImportError: The picture needs matplotlib, which is not installed; the message says how to install it.
        """
        path = pathlib.Path(path)
        kind = path.suffix.removeprefix(".")
        if kind in ("txt", "dot", "gv"):
            path.write_text((repr(self) if kind == "txt" else self.dot) + "\n", encoding="utf-8")
        elif kind in ("png", "svg", "pdf"):
            self.draw().save(path, self.dpi)
        else:
            raise ValueError(
                f"Argument `to_file` must end in .svg, .png, .pdf, .txt, .dot or .gv. Received: to_file={str(path)!r}"
            )


def _quoted(text: str) -> str:
    """A text between quotes in the DOT language."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


COMPACT = 40
"""Boxes above which each has one line of text."""
FILLS = {
    "convolutional": "#FBE2CC",
    "core": "#D6E9F8",
    "activations": "#FFF6CC",
    "pooling": "#D3EEE3",
    "normalization": "#ECECEC",
    "regularization": "#ECECEC",
    "rnn": "#F6DCEA",
    "attention": "#E4DDF3",
    "merging": "#D9F2F7",
}
"""Colours of the families of layers."""


def _fill(layer: Layer | None) -> str:
    """The colour of a layer, by its family; white for others and for inputs."""
    if layer is None or isinstance(layer, InputLayer):
        return "#FFFFFF"
    room, _, rest = type(layer).__module__.partition(".layers.")
    return FILLS.get(rest.partition(".")[0], "#FFFFFF") if room == "portanet" else "#FFFFFF"


def plot_model(
    model: Model,
    to_file: str | os.PathLike[str] | None = None,
    show_shapes: bool = True,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> Diagram:
    """Plot a graph of layers; as `keras.utils.plot_model`.

    Args:
        model: A graph, or a built `Sequential`.
        to_file: If given, a file to write: a picture as .svg, or as .png or .pdf, which need the extra `plot`; or .txt,
            .dot or .gv.
        show_shapes: Whether to show output shapes.
        show_dtype: Whether to show the dtypes of outputs.
        show_layer_names: Accepted as in Keras; names are always shown, since calls refer to them.
        rankdir: "TB" for a drawing from top to bottom, "LR" from left to right.
        expand_nested: Whether to show the layers of nested models.
        dpi: Resolution of a .png file, in dots per inch.
        show_layer_activations: Whether to show the activations of layers.
        show_trainable: Whether to show which layers are trainable.
        splines: How Graphviz draws the lines of a .dot file: `"ortho"`, `"curved"`, `"polyline"`, `"spline"`, `"line"`.

    Raises:
        ValueError: The model is not a graph, or not built.
        ImportError: A .png or .pdf file is asked for, and matplotlib is not installed.

    Example:
        >>> import portanet
        >>> from portanet import layers, models
        >>> x = layers.Input((8,), name="x")
        >>> model = portanet.Model(x, layers.Dense(2)(x + layers.Dense(8, name="hidden")(x)))
        >>> models.plot_model(model)
        x      = InputLayer      (None, 8)
        hidden = Dense(x)        (None, 8)
        add    = Add(x, hidden)  (None, 8)
        dense  = Dense(add)      (None, 2)  -> output
    """
    show = Shown(
        checks.boolean("show_shapes", show_shapes, "plot_model"),
        checks.boolean("show_dtype", show_dtype, "plot_model"),
        checks.boolean("show_layer_activations", show_layer_activations, "plot_model"),
        checks.boolean("show_trainable", show_trainable, "plot_model"),
    )
    checks.boolean("show_layer_names", show_layer_names, "plot_model")
    dpi = checks.positive_int("dpi", dpi, "plot_model")
    splines = checks.choice("splines", splines, ("ortho", "curved", "polyline", "spline", "line"), "plot_model")
    expand_nested = checks.boolean("expand_nested", expand_nested, "plot_model")
    rankdir = checks.choice("rankdir", rankdir, ("TB", "LR", "BT", "RL"), "plot_model")
    if to_file is not None:
        checks.path("to_file", to_file, "plot_model")
    if not isinstance(model, Model):
        raise checks.invalid("model", model, "a model", "plot_model")
    if not is_graph(model):
        raise ValueError(
            f"Model '{model.name}' has no graph to show: it computes in its own `call`, or is not built yet. "
            f"Received: {model!r}"
        )
    boxes: list[Box] = []
    for name, array in zip(model.input_names, model.inputs, strict=True):
        boxes.append(Box(name, "InputLayer", show.of(array.node.layer, array), (), (), array.node.layer))
    results = _add(boxes, model, list(range(len(boxes))), (), expand_nested, show)
    title = f"{model.name}: {model.count_params():,} parameters"
    diagram = Diagram(boxes, results, any(show), rankdir, dpi, splines, title)
    if to_file is not None:
        diagram.save(to_file)
    return diagram


def is_graph(layer: Any) -> bool:
    """Whether an object is a model whose layers are known with what flows between them."""
    return isinstance(layer, Model) and vars(layer).get("_built", False) and layer.gives_mask


def _add(
    boxes: list[Box], model: Model, given: list[int], group: tuple[str, ...], expand: bool, show: Shown
) -> list[int]:
    """Add the boxes of a model's calls; return the indices of those that produce its outputs."""
    names = model.sublayers().names
    known: dict[SymbolicArray, int] = dict(zip(model.inputs, given, strict=True))
    calls: dict[str, int] = {}
    for node in nodes_between(model):
        sources = [known[source] for source in node.sources]
        name = (f"{group[-1]}/" if group else "") + names[node.layer]
        number = calls.setdefault(name, 0)
        calls[name] += 1
        name += f"#{number + 1}" if number else ""
        if expand and is_graph(node.layer):
            added = _add(boxes, node.layer, sources, (*group, name), expand, show)  # type: ignore[arg-type]
            known.update(zip(flat(node.outputs), added, strict=True))
            continue
        boxes.append(Box(name, node.layer._kind, show.of(node.layer, node.outputs), tuple(sources), group, node.layer))
        known.update(dict.fromkeys(flat(node.outputs), len(boxes) - 1))
    return [known[array] for array in model.outputs]
