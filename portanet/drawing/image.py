"""Pictures of graphs as files of images, by matplotlib."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from portanet.drawing.boxes import PADDING, ROW, SIZE
from portanet.drawing.figures import figure_class
from portanet.drawing.svg import FAINT, INK, LINE, bends

if TYPE_CHECKING:
    from portanet.drawing.graphs import Drawing

POINTS = 72.0
"""Units of a picture in an inch."""
LARGEST = 2**16 - 1
"""Pixels of an image along one side."""


def write_image(drawing: Drawing, path: str | os.PathLike[str], dpi: int) -> None:
    """Write a picture as matplotlib draws it; the dpi is lower where the image would be too large for its format."""
    figure = figure_class()(figsize=(drawing.width / POINTS, drawing.height / POINTS))
    from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
    from matplotlib.path import Path

    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_xlim(0, drawing.width)
    ax.set_ylim(drawing.height, 0)
    ax.set_axis_off()
    if drawing.title:
        ax.text(12, 24, drawing.title, fontsize=SIZE * 0.9, fontweight="bold", color=INK, parse_math=False)
    for arrow in drawing.arrows:
        points, codes = [arrow.points[0]], [Path.MOVETO]
        for i in range(1, len(arrow.points)):
            if arrow.points[i] == arrow.points[i - 1]:
                continue
            if i % 2:
                points.append(arrow.points[i])
                codes.append(Path.LINETO)
            else:
                points += [*bends(arrow.points[i - 1], arrow.points[i], drawing.sideways), arrow.points[i]]
                codes += [Path.CURVE4] * 3
        style = "-|>,head_length=4,head_width=2" if arrow.head else "-"
        line = Path(points, codes)
        ax.add_patch(
            FancyArrowPatch(path=line, arrowstyle=style, facecolor=LINE, edgecolor=LINE, shrinkA=0, shrinkB=0, zorder=2)
        )
    for frame in drawing.frames:
        group = frame.number < 0
        radius = {"round": 10.0, "group": 6.0}.get(frame.frame, 3.0)
        ax.add_patch(
            FancyBboxPatch(
                (frame.x, frame.y),
                frame.width,
                frame.height,
                boxstyle=f"round,pad=0,rounding_size={radius}",
                facecolor=frame.fill,
                edgecolor="#BBBBBB" if group else INK if frame.frame == "bold" else LINE,
                linewidth=2.0 if frame.frame == "bold" else 0.8,
                zorder=1 if group else 3,
            )
        )
        for i, line_of_text in enumerate(frame.lines):
            x = frame.x + PADDING if group else frame.x + frame.width / 2
            ax.text(
                x,
                frame.y + (ROW if group else PADDING / 2 + ROW * i + SIZE),
                line_of_text,
                ha="left" if group else "center",
                fontsize=SIZE * 0.9,
                fontweight="bold" if i == 0 else "normal",
                color=FAINT if group or i else INK,
                zorder=4,
                parse_math=False,
            )
    largest = max(drawing.width, drawing.height) / POINTS
    figure.savefig(path, dpi=min(dpi, LARGEST / largest))
