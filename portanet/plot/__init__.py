"""Pictures of models, training and functions, with matplotlib; the extra `plot`.

A function of one panel takes `ax`, one of several panels takes `axes`: matplotlib axes to draw on, by default those of
a new figure. It returns them, so that `plot.history(history)[0].figure.savefig("history.png")` saves the picture. In
notebooks, and where a script uses pyplot, the figure is pyplot's and is shown as usual; nothing here opens a window.
Arrays may be those of any backend, on any device.
"""

from portanet.plot.arrays import attention, confusion_matrix, gates, images
from portanet.plot.boundary import decision_boundary
from portanet.plot.curves import bands, curves, history
from portanet.plot.landscape import loss_plane, loss_ray, loss_values
from portanet.plot.pictures import model
from portanet.plot.planes import contours, surface, trajectories
from portanet.plot.weights import activation_histograms, activation_spread, weight_histograms

__all__ = [
    "activation_histograms",
    "activation_spread",
    "attention",
    "bands",
    "confusion_matrix",
    "contours",
    "curves",
    "decision_boundary",
    "gates",
    "history",
    "images",
    "loss_plane",
    "loss_ray",
    "loss_values",
    "model",
    "surface",
    "trajectories",
    "weight_histograms",
]
