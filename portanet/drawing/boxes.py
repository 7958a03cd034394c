"""The boxes of graphs, and the room that their text takes."""

from __future__ import annotations

from dataclasses import dataclass

SIZE = 12.0
"""Of the text."""
ROW = 16.0
PADDING = 9.0
TITLE = 24.0
"""Room for the name of a group."""
WIDTHS = {
    c: width
    for characters, width in (("iljtfr.,:;|'()[]/ ", 0.34), ("ABCDEGHKNOPQRSUVXYZ&_w", 0.8), ("mMW@%", 0.97))
    for c in characters
}
"""Widths of characters, in sizes of the text, that are not about 0.6."""


@dataclass(frozen=True)
class Box:
    """A box of a graph.

    Attributes:
        lines: Its text; the first line is the name.
        sources: The boxes that lines come from.
        group: The groups that it is in, from the outermost to its own, by names that differ.
        fill: Its colour.
        frame: `"plain"`, `"round"` (for inputs) or `"bold"` (for outputs).
    """

    lines: tuple[str, ...]
    sources: tuple[int, ...] = ()
    group: tuple[str, ...] = ()
    fill: str = "#FFFFFF"
    frame: str = "plain"


def text_width(text: str, bold: bool = False) -> float:
    """An upper bound for the width of a text in common fonts without serifs."""
    units = sum(WIDTHS.get(c, 0.6 if ord(c) < 256 else 1.0) for c in text)
    return units * SIZE * (1.06 if bold else 1.0)


def box_size(box: Box) -> tuple[float, float]:
    """Width and height."""
    width = max(text_width(line, bold=i == 0) for i, line in enumerate(box.lines))
    return max(width + 2 * PADDING, 60.0), ROW * len(box.lines) + PADDING
