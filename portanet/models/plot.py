"""Plots of models: as text, and in Graphviz's DOT language."""

from __future__ import annotations

import os
import pathlib
from dataclasses import dataclass
from typing import Any, NamedTuple

from portanet import checks
from portanet.drawing import drawing
from portanet.layers import Layer
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
    group: str


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
    """The result of `plot_model`: prints as a list; `dot` is the graph in the DOT language, `draw` the drawing."""

    boxes: list[Box]
    results: list[int]
    show_shapes: bool
    rankdir: str
    dpi: int = 200
    splines: str = "ortho"

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
        for group in dict.fromkeys(box.group for box in self.boxes):
            own = [self._box(i) for i, box in enumerate(self.boxes) if box.group == group]
            if group:
                own = [
                    f'  subgraph "cluster_{group}" {{',
                    f'    label="{group}"',
                    *(f"  {line}" for line in own),
                    "  }",
                ]
            lines += own
        lines += [f"  v{source} -> v{i}" for i, box in enumerate(self.boxes) for source in box.sources]
        return "\n".join([*lines, "}"])

    def _box(self, i: int) -> str:
        box = self.boxes[i]
        style = " style=rounded" if not box.sources else " peripheries=2" if i in self.results else ""
        label = f"{box.name}: {box.kind}" + (f"\\n{box.details}" if box.details and self.show_shapes else "")
        return f'  v{i} [label="{label}"{style}]'

    def draw(self) -> Any:
        """The graph as a `graphviz.Source`, which notebooks display and `.render(path)` saves.

        Raises:
            ImportError: The Python package graphviz is not installed; the message says how to install it.
        """
        return drawing(self.dot, "print(plot_model(model)) and plot_model(model, 'model.dot') do without it.")

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the graph to a file: text (.txt), DOT (.dot, .gv), or an image (.png, .svg, .pdf).

        Raises:
            ImportError: An image is requested, and the Python package graphviz is not installed.
            RuntimeError: An image is requested, and Graphviz's program `dot` is not installed.
        """
        path = pathlib.Path(path)
        kind = path.suffix.removeprefix(".")
        if kind in ("txt", "dot", "gv"):
            path.write_text((repr(self) if kind == "txt" else self.dot) + "\n", encoding="utf-8")
            return
        if kind not in ("png", "svg", "pdf"):
            raise ValueError(
                f"Argument `to_file` must end in .txt, .dot, .gv, .png, .svg or .pdf. Received: to_file={str(path)!r}"
            )
        source = self.draw()
        import graphviz

        try:
            path.write_bytes(source.pipe(format=kind))
        except graphviz.ExecutableNotFound:
            raise RuntimeError(
                "Drawing needs Graphviz's program `dot`, which is not installed: see https://graphviz.org/download, or "
                f"write the source with to_file={str(path.with_suffix('.dot'))!r}. Received: to_file={str(path)!r}"
            ) from None


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
        to_file: If given, a file to write: .txt, .dot, .gv; or .png, .svg, .pdf, which need the extra `plot` and
            Graphviz.
        show_shapes: Whether to show output shapes.
        show_dtype: Whether to show the dtypes of outputs.
        show_layer_names: Accepted as in Keras; names are always shown, since calls refer to them.
        rankdir: "TB" for a drawing from top to bottom, "LR" from left to right.
        expand_nested: Whether to show the layers of nested models.
        dpi: Resolution of an image, in dots per inch.
        show_layer_activations: Whether to show the activations of layers.
        show_trainable: Whether to show which layers are trainable.
        splines: How Graphviz draws edges: `"ortho"`, `"curved"`, `"polyline"`, `"spline"`, `"line"`.

    Raises:
        ValueError: The model is not a graph, or not built.
        ImportError, RuntimeError: The Python package graphviz, or Graphviz itself, is not installed.

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
    if not _is_graph(model):
        raise ValueError(
            f"Model '{model.name}' has no graph to show: it computes in its own `call`, or is not built yet. "
            f"Received: {model!r}"
        )
    boxes: list[Box] = []
    for name, array in zip(model.input_names, model.inputs, strict=True):
        boxes.append(Box(name, "InputLayer", show.of(array.node.layer, array), (), ""))
    results = _add(boxes, model, list(range(len(boxes))), "", expand_nested, show)
    diagram = Diagram(boxes, results, any(show), rankdir, dpi, splines)
    if to_file is not None:
        diagram.save(to_file)
    return diagram


def _is_graph(layer: Any) -> bool:
    return isinstance(layer, Model) and layer.gives_mask and layer._built


def _add(boxes: list[Box], model: Model, given: list[int], group: str, expand: bool, show: Shown) -> list[int]:
    """Add the boxes of a model's calls; return the indices of those that produce its outputs."""
    names = model.sublayers().names
    known: dict[SymbolicArray, int] = dict(zip(model.inputs, given, strict=True))
    calls: dict[str, int] = {}
    for node in nodes_between(model):
        sources = [known[source] for source in node.sources]
        name = (f"{group}/" if group else "") + names[node.layer]
        number = calls.setdefault(name, 0)
        calls[name] += 1
        name += f"#{number + 1}" if number else ""
        if expand and _is_graph(node.layer):
            added = _add(boxes, node.layer, sources, name, expand, show)  # type: ignore[arg-type]
            known.update(zip(flat(node.outputs), added, strict=True))
            continue
        boxes.append(Box(name, node.layer._kind, show.of(node.layer, node.outputs), tuple(sources), group))
        known.update(dict.fromkeys(flat(node.outputs), len(boxes) - 1))
    return [known[array] for array in model.outputs]
