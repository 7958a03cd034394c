r"""Maxout: the largest of several lines
====================================

A maxout unit has several weights and biases, and answers with the largest sum. It does not have an activation: it
learns one. With two pieces it can be ReLU, leaky ReLU or the absolute value; with more, any convex curve.

Source: NumpyDL documentation, 2.1.3, "Maxout".
"""

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers, optimizers, plot
from portanet.drawing import COLOURS

# %%
# ReLU and leaky ReLU are special cases
# -------------------------------------
# :math:`\max(w_1 x + b_1, w_2 x + b_2)`: "for ReLU we have :math:`w_1, b_1 = 0`", and :math:`w_2 = 1`.

CASES = {"relu": (0.0, 1.0), "leaky_relu (0.01)": (0.01, 1.0), "absolute value": (-1.0, 1.0), "linear": (0.5, 0.5)}


def unit(weights: tuple[float, ...], biases: tuple[float, ...] | None = None) -> layers.Maxout:
    """One maxout unit of one input with these weights and biases, by default 0."""
    layer = layers.Maxout(1, pieces=len(weights))
    layer.build((None, 1))
    layer.set_weights([np.asarray([weights]), np.zeros(len(weights)) if biases is None else np.asarray(biases)])
    return layer


def values(layer: layers.Maxout, x: np.ndarray) -> np.ndarray:
    """The unit at each of these places."""
    return portanet.to_host(layer(portanet.asarray(x[:, None])))[:, 0]


def as_function(weights: tuple[float, ...]):
    """The unit as a function of numbers."""
    layer = unit(weights)
    return lambda x: layer(x[:, None])[:, 0]


axes = plot.curves({name: as_function(weights) for name, weights in CASES.items()}, xlim=(-2, 2))

# %%
# Learning the activation
# -----------------------
# One unit learns the parabola from 200 points. Its pieces are tangents: each one is straight, and the largest of them
# is a curve with kinks. The more pieces, the closer: the error of the best curve with *k* pieces is
# :math:`1/(2k^2)`, and training comes near to it.


def learn(pieces: int, steps: int = 600) -> tuple[layers.Maxout, float]:
    """A unit with so many pieces, trained on the parabola, and its largest error."""
    portanet.random.set_seed(1)
    x = np.linspace(-1, 1, 200)
    slopes = np.linspace(-1, 1, pieces)
    layer = layers.Maxout(1, pieces)
    model = portanet.Sequential([layers.Input((1,)), layer])
    layer.set_weights([slopes[None], np.zeros(pieces)])
    model.compile(optimizers.Adam(0.02), "mse")
    model.fit(x[:, None], (x**2)[:, None], batch_size=200, epochs=steps, verbose=0)
    return layer, float(np.abs(values(layer, x) - x**2).max())


figure, axes = plt.subplots(1, 3, figsize=(10, 3.2), layout="constrained", sharey=True)
x = np.linspace(-1, 1, 200)
for ax, pieces in zip(axes, (2, 3, 6), strict=True):
    layer, error = learn(pieces)
    kernel, bias = layer.get_weights()
    for weight, shift in zip(kernel[0], bias, strict=True):
        ax.plot(x, weight * x + shift, color="#BBBBBB", linewidth=1)
    ax.plot(x, x**2, color=COLOURS[1], linestyle="--", label="parabola")
    ax.plot(x, values(layer, x), color=COLOURS[0], label="maxout")
    ax.set_ylim(-0.5, 1.1)
    ax.set_title(f"{pieces} pieces, largest error {error:.3f}")
axes[0].legend()

# %%
# What it costs
# -------------
# "It doubles the number of parameters for every single neuron": a layer of 100 inputs and 50 units has


def parameters(pieces: int, inputs: int = 100, units: int = 50) -> int:
    """The number of weights and biases of a layer."""
    return portanet.Sequential([layers.Input((inputs,)), layers.Maxout(units, pieces)]).count_params()


dense = portanet.Sequential([layers.Input((100,)), layers.Dense(50, "relu")]).count_params()
print(f"dense {dense:,}, maxout of two {parameters(2):,}, of three {parameters(3):,}")
