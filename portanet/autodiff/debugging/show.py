"""The operations of a function in order, as text or as a graph."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from portanet.autodiff.debugging.recording import Recording, record_run
from portanet.drawing import Box, Drawing


@dataclass(frozen=True, repr=False)
class Picture:
    """The result of `show`: prints as a list; `dot` is the graph in the DOT language, `draw` a picture."""

    recording: Recording

    def __repr__(self) -> str:
        return "\n".join(self.lines())

    def lines(self) -> list[str]:
        """One line per input and operation: number, name and operands, dtype and shape, and the result's path."""
        steps = self.recording.steps
        results: dict[int, list[str]] = {}
        for path, number in self.recording.results.items():
            if number is not None:
                results.setdefault(number, []).append(f"result{path}")
        calls = [f"{step.name}({', '.join(f'v{i}' for i in step.operands)})" for step in steps]
        calls = [step.name if not step.operands else call for step, call in zip(steps, calls, strict=True)]
        width, label = max(map(len, calls), default=0), len(f"v{len(steps) - 1}")
        return [
            f"{f'v{i}':<{label}} = {call:<{width}}  {_kind(step.result)}"
            + (f"  -> {', '.join(results[i])}" if i in results else "")
            for i, (step, call) in enumerate(zip(steps, calls, strict=True))
        ]

    @property
    def dot(self) -> str:
        """The graph in the DOT language of Graphviz."""
        lines = ["digraph {", "  rankdir=LR", '  node [shape=box fontname="monospace"]']
        results = set(self.recording.results.values())
        for i, step in enumerate(self.recording.steps):
            style = " style=rounded" if not step.operands else (" peripheries=2" if i in results else "")
            lines.append(f'  v{i} [label="v{i}: {step.name}\\n{_kind(step.result)}"{style}]')
            lines += [f"  v{operand} -> v{i}" for operand in step.operands]
        return "\n".join([*lines, "}"])

    def draw(self) -> Drawing:
        """The graph as a picture from left to right, which notebooks show and `.save("graph.svg")` writes."""
        results = set(self.recording.results.values())
        boxes = []
        for i, step in enumerate(self.recording.steps):
            frame = "round" if not step.operands else "bold" if i in results else "plain"
            boxes.append(Box((f"v{i}: {step.name}", _kind(step.result)), tuple(step.operands), frame=frame))
        return Drawing(boxes, "LR")


def _kind(x: Any) -> str:
    dtype = str(x.dtype).rpartition(".")[2]
    return f"{dtype} {tuple(x.shape)}"


def show(f: Callable[..., Any], *args: Any) -> Picture:
    """Run `f` and list the operations on its floating-point arguments: a Wengert list.

    Control flow follows the values, so it is the list for these arguments. Operations between constants, which have no
    derivative, are not part of it, nor are constant operands.

    Args:
        f: A function of arrays (or trees of them), written against the array API standard.
        args: Its arguments.

    Returns:
        A `Picture`: `print` it, or use `.dot` (DOT language) or `.draw()` (a picture for notebooks, or `.save(path)`).

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import show
        >>> show(lambda a, b: (a + b) * (b + 1), np.asarray(2.0), np.asarray(1.0))
        v0 = argument 0        float64 ()
        v1 = argument 1        float64 ()
        v2 = add(v0, v1)       float64 ()
        v3 = add(v1)           float64 ()
        v4 = multiply(v2, v3)  float64 ()  -> result
    """
    return Picture(record_run(f, args))
