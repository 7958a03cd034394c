r"""Activations and their slopes
============================

An activation bends what a layer computes; without it, many layers are one. Each panel has a function and its slope,
which `portanet.autodiff` computes from the function alone. Where the slope is 0, nothing is learned.

Source: NumpyDL documentation, 2.1.3 (figures 2.1 to 2.3) and 3.2 (the nine functions of `npdl.activations`).
"""

import numpy as np
from sklearn.datasets import load_digits

import portanet
from portanet import layers, optimizers, plot
from portanet.activations import sigmoid, tanh
from portanet.autodiff import grad

NUMPYDL = ["sigmoid", "tanh", "relu", "linear", "elliot", "symmetric_elliot", "softplus", "softsign"]
LATER = [
    "leaky_relu", "elu", "selu", "celu", "gelu", "silu", "mish", "relu6", "hard_sigmoid", "hard_silu", "hard_tanh",
    "hard_shrink", "soft_shrink", "tanh_shrink", "log_sigmoid", "squareplus", "sparse_plus", "sparse_sigmoid",
    "exponential", "scaled_tanh",
]  # fmt: skip

# %%
# The functions of the documentation
# ----------------------------------
# Look at the dashed lines. Those of sigmoid and tanh are flat at both ends: such a unit is *saturated*. That of ReLU is
# 1 wherever the unit is on. Softmax is the ninth function; it belongs to several numbers together, and has no curve.

axes = plot.curves(NUMPYDL)

# %%
# "Sigmoids saturate and kill gradients"
# --------------------------------------
# The slope of the sigmoid is 1/4 at most. A product of ten such slopes, one for each layer, is below a millionth.


def slopes(function, places: list[float]) -> list[float]:
    """The slopes of a function of one number at some places."""
    return [float(grad(function)(portanet.asarray(float(x)))) for x in places]


for x, slope in zip((0, 2, 5, 10), slopes(sigmoid, [0, 2, 5, 10]), strict=True):
    print(f"slope of the sigmoid at {x:2}: {slope:.6f}, to the power of 10 layers: {slope**10:.1e}")

# %%
# "The tanh neuron is simply a scaled sigmoid neuron": :math:`\tanh(x) = 2\sigma(2x) - 1`.


def difference(count: int = 1001) -> float:
    """The largest distance of the two sides, from -10 to 10."""
    x = portanet.asarray(np.linspace(-10, 10, count), dtype="float64")
    return float(np.abs(portanet.to_host(tanh(x) - (2 * sigmoid(2 * x) - 1))).max())


print(f"largest difference: {difference():.1e}")

# %%
# Dead units
# ----------
# "As much as 40% of your network can be dead if the learning rate is set too high." A ReLU unit is dead if it is 0 for
# every example: its slope is 0 then, and it never comes back. We train on the digits with four learning rates.


def dead(rate: float, units: int = 64, epochs: int = 3) -> tuple[float, float]:
    """The fraction of hidden units that are 0 for every digit, and the accuracy, after training with this rate."""
    portanet.random.set_seed(0)
    x, y = load_digits(return_X_y=True)
    model = portanet.Sequential([
        layers.Input((64,)), layers.Dense(units, "relu", name="hidden"), layers.Dense(10, "softmax"),
    ])  # fmt: skip
    model.compile(optimizers.SGD(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(x / 16, y, epochs=epochs, verbose=0)
    record = portanet.callbacks.ActivationMonitor(x / 16).look(model)
    return record["hidden"]["dead"], model.evaluate(x / 16, y, verbose=0)[1]


for rate in (0.1, 0.5, 2.0, 5.0):
    share, accuracy = dead(rate)
    print(f"learning rate {rate}: {share:4.0%} dead, accuracy {accuracy:.2f}")

# %%
# What came later
# ---------------
# Most are ReLU with another left side: a small slope (leaky), a curve that ends at -1 (ELU), a dip (GELU, SiLU, Mish).
# All have a slope somewhere to the left of 0, so that a unit can come back.

axes = plot.curves(LATER, columns=5)
