r"""The cliff: why gradients of recurrent networks are clipped
==========================================================

One hidden unit that is connected to itself must answer 0.7 after 50 steps. Two parameters, so the error is a surface
that one can look at, and it has a cliff. Gradient descent is thrown off it; with its norm clipped, it stays.

Source: NumpyDL documentation, 2.7.4 (figure 2.28), after R. Pascanu, T. Mikolov and Y. Bengio; norm clipping also
Ketkar, chapter 6.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers
from portanet.autodiff import array_namespace

STEPS = 50
TARGET = 0.7
START = (5.6, -2.0)

# %%
# The surface
# -----------
# :math:`h_t = \sigma(w\,h_{t-1} + b)` from :math:`h_0 = 0`. The error is the square of :math:`h_{50} - 0.7`.


def answer(weight: Any, bias: Any) -> Any:
    """The unit after 50 steps, for arrays of weights and biases."""
    xp = array_namespace(weight)
    h = xp.zeros_like(weight)
    for _ in range(STEPS):
        h = 1 / (1 + xp.exp(-(weight * h + bias)))
    return h


def surface(count: int = 200) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights, biases and errors on a grid."""
    weight, bias = np.meshgrid(np.linspace(2, 8, count), np.linspace(-4, 4, count))
    error = (answer(portanet.asarray(weight), portanet.asarray(bias)) - TARGET) ** 2
    return weight, bias, portanet.to_host(error)


# %%
# Descent, with and without clipping
# ----------------------------------
# The network is `SimpleRNN` with one unit, whose input is ignored. `global_clipnorm=c` shortens a gradient that is
# longer than c to the length c, and keeps its direction: :math:`g\,c/|g|` if :math:`|g| > c`.


def network(start: tuple[float, float] = START) -> Any:
    """One unit with this weight and bias; the kernel of the input is 0 and is not trained."""
    model = portanet.Sequential([layers.Input((STEPS, 1)), layers.SimpleRNN(1, "sigmoid")])
    model.set_weights([np.zeros((1, 1)), np.asarray([[start[0]]]), np.asarray([start[1]])])
    model.trainable_weights[0].trainable = False
    return model


def descend(clip: float | None, steps: int = 150, rate: float = 0.5) -> np.ndarray:
    """The weight and the bias before each step of gradient descent, and after the last."""
    model = network()
    model.compile(portanet.optimizers.SGD(rate, global_clipnorm=clip), "mse")
    path = [START]
    for _ in range(steps):
        model.train_on_batch(np.zeros((1, STEPS, 1)), np.asarray([[TARGET]]))
        _, weight, bias = model.get_weights()
        path.append((float(weight[0, 0]), float(bias[0])))
    return np.asarray(path)


def slope(weight: float, bias: float, step: float = 1e-4) -> float:
    """The length of the gradient at a point, by central differences."""
    pairs = ((step, 0.0), (0.0, step))
    rises = []
    for dw, db in pairs:
        sides = [answer(portanet.asarray(weight + s * dw), portanet.asarray(bias + s * db)) for s in (1, -1)]
        above, below = ((float(h) - TARGET) ** 2 for h in sides)
        rises.append((above - below) / (2 * step))
    return float(np.hypot(*rises))


free, clipped = descend(None), descend(0.5)
weight, bias, error = surface()
figure, ax = plt.subplots(figsize=(7, 5), layout="constrained")
areas = ax.contourf(weight, bias, error, 30)
figure.colorbar(areas, label="error")
ax.plot(*free.T, "r.-", linewidth=1, label="gradient descent")
ax.plot(*clipped.T, "w.-", linewidth=1, label="norm clipped to 0.5")
ax.plot(*START, "r*", markersize=14)
ax.set(xlabel="weight", ylabel="bias", xlim=(2, 8), ylim=(-4, 4))
ax.legend(loc="upper left", facecolor="grey")

# %%
# Both start at the star and walk down to the edge of the cliff. There the gradient is suddenly large and points away
# from it. The red path jumps to the plateau, where the surface is flat: from there it would take ages to come back.
# The white path bounces too, but by 0.25 at most, 0.5 times the learning rate. It follows the cliff to the valley, and
# finds 0.7.
lengths = {name: np.hypot(*np.diff(path, axis=0).T) for name, path in (("free", free), ("clipped", clipped))}
for name, path in (("free", free), ("clipped", clipped)):
    last = float(answer(*map(portanet.asarray, path[-1])))
    print(
        f"{name:8} longest step {lengths[name].max():.2f}, at the end w = {path[-1, 0]:.2f}, b = {path[-1, 1]:.2f}, "
        f"answer {last:.3f}, gradient {slope(*path[-1]):.1e}"
    )

# %%
# A cut through the cliff
# -----------------------
# The same surface along the line w = 5. Left of the edge the unit stays off, right of it it is on, and 0.7 lies
# between: an edge of almost no width.
figure, ax = plt.subplots(figsize=(6, 3.5))
biases = np.linspace(-3, -1.5, 400)
h = portanet.to_host(answer(portanet.asarray(np.full_like(biases, 5.0)), portanet.asarray(biases)))
ax.plot(biases, (h - TARGET) ** 2)
ax.set(xlabel="bias, for w = 5", ylabel="error")
plt.show()
