"""NumPyDL's interface on top of portanet: `import portanet.compat.numpydl as npdl`, and its scripts run on any backend.

What NumPyDL does wrong is done right here: the softmax has its true derivative, gradients of biases are sums like those
of weights, pooling windows do not overlap, batch normalisation divides by the standard deviation and keeps running
averages, recurrent layers are trained through all time steps, dropout is off in prediction and scales once, decay
lowers the learning rate, the last partial batch counts, and neither your arrays nor NumPy's global generator are
touched.
"""

from portanet.compat.numpydl import activations, initializations, layers, model, objectives, optimizers, utils
from portanet.compat.numpydl.model import Model

__all__ = ["Model", "activations", "initializations", "layers", "model", "objectives", "optimizers", "utils"]

__version__ = "0.4.0"  # of NumPyDL's interface
