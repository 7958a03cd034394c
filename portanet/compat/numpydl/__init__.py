"""NumPyDL's interface on top of portanet: with `import portanet.compat.numpydl as npdl`, scripts run on any backend.

NumPyDL's bugs are fixed: the softmax has its true derivative, gradients of biases are sums like those of weights,
pooling windows do not overlap, batch normalisation divides by the standard deviation and updates running averages,
recurrent layers are trained through all time steps, dropout is inactive in prediction and scales once, decay reduces
the learning rate, the last partial batch is used, and neither input arrays nor NumPy's global generator are modified.
"""

from portanet.compat.numpydl import activations, initializations, layers, model, objectives, optimizers, utils
from portanet.compat.numpydl.model import Model

__all__ = ["Model", "activations", "initializations", "layers", "model", "objectives", "optimizers", "utils"]

__version__ = "0.4.0"  # of NumPyDL's interface
