"""Pictures of graphs of boxes, which may be in boxes of groups."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import NamedTuple

from portanet import checks
from portanet.drawing.boxes import TITLE, Box, text_width
from portanet.drawing.layout import Point
from portanet.drawing.nesting import Group, arrange

MARGIN = 12.0


class Frame(NamedTuple):
    """A rectangle with text: that of a box, by its number, or of a group (-1)."""

    number: int
    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...]
    fill: str
    frame: str


class Arrow(NamedTuple):
    """A line from a box to another, or the part of it in a group: points as in `Places.routes`."""

    source: int
    target: int
    points: tuple[Point, ...]
    head: bool


class Drawing:
    """A picture of a graph: notebooks show it, `save` writes it, `svg` is its source.

    Args:
        boxes: The boxes; each comes after its sources.
        direction: `"TB"` from top to bottom, `"BT"`, `"LR"` from left to right, or `"RL"`.
        title: What stands above the picture.

    Attributes:
        frames: The rectangles, with those of groups before what is in them.
        arrows: The lines.
        width: The width of the picture.
        height: Its height.
    """

    def __init__(self, boxes: Sequence[Box], direction: str = "TB", title: str = "") -> None:
        self.title = _printable(title)
        boxes = [
            replace(b, lines=tuple(map(_printable, b.lines)), group=tuple(map(_printable, b.group))) for b in boxes
        ]
        self.frames: list[Frame] = []
        self.arrows: list[Arrow] = []
        whole = arrange(boxes, direction)
        self._add(boxes, whole, 0.0, 0.0)
        self._turn(direction, *whole.size)

    @cached_property
    def svg(self) -> str:
        """The picture in the SVG language."""
        from portanet.drawing.svg import to_svg

        return to_svg(self)

    def _repr_html_(self) -> str:
        return f'<div style="max-height: 640px; overflow: auto">{self.svg}</div>'

    def save(self, path: str | os.PathLike[str], dpi: int = 200) -> None:
        """Write the picture to a file: .svg; or .png or .pdf, which need matplotlib.

        Raises:
            ValueError: The name ends in something else.
            ImportError: matplotlib is needed, and is not installed.
        """
        path = pathlib.Path(checks.path("path", path, "save"))
        if path.suffix == ".svg":
            path.write_text(self.svg + "\n", encoding="utf-8")
        elif path.suffix in (".png", ".pdf"):
            from portanet.drawing.image import write_image

            write_image(self, path, dpi)
        else:
            raise ValueError(f"Argument `path` must end in .svg, .png or .pdf. Received: path={str(path)!r}")

    def _add(self, boxes: Sequence[Box], group: Group, across: float, along: float) -> None:
        """Add the frames and lines of a group, whose contents begin here, across and along."""
        places = group.places
        for item, key in group.keys.items():
            size = group.sizes[item]
            x, y = across + places.middles[item] - size[0] / 2, along + places.tops[item]
            if isinstance(key, tuple):
                self.frames.append(Frame(-1, x, y, *size, (key[-1],), "#F6F6F6", "group"))
                inner = group.inner[item]
                self._add(boxes, inner, x + inner.before[0], y + inner.before[1])
            else:
                box = boxes[key]
                self.frames.append(Frame(key, x, y, *size, box.lines, box.fill, box.frame))
        entries, exits = {*group.entries.values()}, {*group.exits.values()}
        for (source, target), line, route in zip(group.ends, group.lines, places.routes, strict=True):
            points = [(across + a, along + b) for a, b in route]
            if line.source in entries:
                points[0] = (points[0][0], along - group.before[1])
            if line.target in exits:
                points[-1] = (points[-1][0], along + places.height + group.after[1])
            head = line.target not in exits and line.target not in group.inner
            self.arrows.append(Arrow(source, target, tuple(points), head))

    def _turn(self, direction: str, across: float, along: float) -> None:
        """Turn what goes from top to bottom into the direction of the picture, and leave a margin."""
        sideways, back = direction in ("LR", "RL"), direction in ("BT", "RL")
        top = MARGIN + (TITLE if self.title else 0.0)

        def point(x: float, y: float) -> Point:
            y = along - y if back else y
            return (y + MARGIN, x + top) if sideways else (x + MARGIN, y + top)

        frames = []
        for frame in self.frames:
            (x1, y1), (x2, y2) = point(frame.x, frame.y), point(frame.x + frame.width, frame.y + frame.height)
            x, y, width, height = min(x1, x2), min(y1, y2), abs(x2 - x1), abs(y2 - y1)
            frames.append(frame._replace(x=x, y=y, width=width, height=height))
        self.frames = frames
        self.arrows = [arrow._replace(points=tuple(point(*at) for at in arrow.points)) for arrow in self.arrows]
        width, height = (along, across) if sideways else (across, along)
        self.width = max(width, text_width(self.title, bold=True)) + 2 * MARGIN
        self.height = height + top + MARGIN
        self.sideways = sideways


def _printable(text: str) -> str:
    """A text without line breaks and other characters for which SVG has no place."""
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
