"""Tables in plain text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any


def table(head: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table with a line below the header; the first column is left-aligned, the others right-aligned.

    Example:
        >>> print(table(["layer", "ms"], [["dense", "0.25"], ["softmax", "12.50"]]))
        layer       ms
        -------  -----
        dense     0.25
        softmax  12.50
    """
    lines = [[str(cell) for cell in row] for row in (head, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join(
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])]).rstrip() for line in lines
    )
