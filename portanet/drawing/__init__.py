"""What pictures are made of, from values on the host: figures, curves, histograms, and graphs of boxes."""

from portanet.drawing.curves import bands, history_curves
from portanet.drawing.figures import COLOURS, figure_class, legend, new_axes, panels, whole_numbers
from portanet.drawing.graphviz import drawing
from portanet.drawing.histograms import histograms

__all__ = [
    "COLOURS",
    "bands",
    "drawing",
    "figure_class",
    "histograms",
    "history_curves",
    "legend",
    "new_axes",
    "panels",
    "whole_numbers",
]
