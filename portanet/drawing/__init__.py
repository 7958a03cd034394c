"""What pictures are made of, from values on the host: figures, curves, histograms, and graphs of boxes."""

from portanet.drawing.boxes import Box
from portanet.drawing.curves import bands, history_curves
from portanet.drawing.figures import COLOURS, Panels, figure_class, legend, new_axes, panels, whole_numbers
from portanet.drawing.graphs import Drawing
from portanet.drawing.histograms import histograms

__all__ = [
    "COLOURS",
    "Box",
    "Drawing",
    "Panels",
    "bands",
    "figure_class",
    "histograms",
    "history_curves",
    "legend",
    "new_axes",
    "panels",
    "whole_numbers",
]
