"""Pictures of graphs in the SVG language."""

from __future__ import annotations

from typing import TYPE_CHECKING
from xml.sax.saxutils import escape, quoteattr

from portanet.drawing.boxes import PADDING, ROW, SIZE

if TYPE_CHECKING:
    from portanet.drawing.graphs import Drawing, Frame
    from portanet.drawing.layout import Point

INK, LINE, FAINT = "#222222", "#777777", "#555555"


def to_svg(drawing: Drawing) -> str:
    """The source of a picture; texts, boxes and lines are elements with classes `box`, `group` and `line`."""
    width, height = drawing.width, drawing.height
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.1f} {height:.1f}" font-family="Helvetica, Arial, sans-serif" font-size="{SIZE:.0f}" '
        f'fill="{INK}" role="img">',
        f"<title>{escape(drawing.title or 'graph')}</title>",
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" '
        f'orient="auto"><path d="M0 0.5 8 4 0 7.5z" fill="{LINE}"/></marker></defs>',
        f'<rect width="{width:.1f}" height="{height:.1f}" fill="white"/>',
    ]
    if drawing.title:
        parts.append(f'<text x="12" y="24" font-weight="bold">{escape(drawing.title)}</text>')
    groups = [frame for frame in drawing.frames if frame.number < 0]
    parts += [_group(frame) for frame in groups]
    for arrow in drawing.arrows:
        head = ' marker-end="url(#arrow)"' if arrow.head else ""
        parts.append(
            f'<path class="line" data-from="{arrow.source}" data-to="{arrow.target}" '
            f'd="{path(arrow.points, drawing.sideways)}" fill="none" stroke="{LINE}"{head}/>'
        )
    parts += [_box(frame) for frame in drawing.frames if frame.number >= 0]
    return "\n".join([*parts, "</svg>"])


def _rectangle(frame: Frame, radius: float, stroke: str, thickness: float) -> str:
    return (
        f'<rect x="{frame.x:.1f}" y="{frame.y:.1f}" width="{frame.width:.1f}" height="{frame.height:.1f}" '
        f'rx="{radius:g}" fill="{frame.fill}" stroke="{stroke}" stroke-width="{thickness:g}"/>'
    )


def _group(frame: Frame) -> str:
    name = f'<text x="{frame.x + PADDING:.1f}" y="{frame.y + ROW:.1f}" fill="{FAINT}" font-weight="bold">'
    return f'<g class="group">{_rectangle(frame, 6, "#BBBBBB", 1)}{name}{escape(frame.lines[0])}</text></g>'


def _box(frame: Frame) -> str:
    radius, thickness = (12.0 if frame.frame == "round" else 4.0), (2.2 if frame.frame == "bold" else 1.0)
    texts = []
    for i, line in enumerate(frame.lines):
        style = ' font-weight="bold"' if i == 0 else f' fill="{FAINT}"'
        y = frame.y + PADDING / 2 + ROW * i + SIZE
        texts.append(
            f'<text x="{frame.x + frame.width / 2:.1f}" y="{y:.1f}" text-anchor="middle"{style}>{escape(line)}</text>'
        )
    rectangle = _rectangle(frame, radius, INK if frame.frame == "bold" else LINE, thickness)
    return f'<g class="box" data-name={quoteattr(frame.lines[0])}>{rectangle}{"".join(texts)}</g>'


def path(points: tuple[Point, ...], sideways: bool) -> str:
    """A line through points as in `Places.routes`: straight within a layer, curved from one to the next."""
    parts = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for i in range(1, len(points)):
        (x1, y1), (x2, y2) = points[i - 1], points[i]
        if i % 2 or (x1 == x2 if not sideways else y1 == y2):
            if (x1, y1) != (x2, y2):
                parts.append(f"L{x2:.1f} {y2:.1f}")
            continue
        a, b = bends(points[i - 1], points[i], sideways)
        parts.append(f"C{a[0]:.1f} {a[1]:.1f} {b[0]:.1f} {b[1]:.1f} {x2:.1f} {y2:.1f}")
    return "".join(parts)


def bends(start: Point, end: Point, sideways: bool) -> tuple[Point, Point]:
    """The control points of a curve that leaves and arrives along the direction of the lines."""
    middle_x, middle_y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    if sideways:
        return (middle_x, start[1]), (middle_x, end[1])
    return (start[0], middle_y), (end[0], middle_y)
