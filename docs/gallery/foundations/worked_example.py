"""Backpropagation by hand: a network of two inputs, two hidden and two output units
=================================================================================

Every number of the worked example, step by step, and the same network on the problem XOR.

Source: NumpyDL documentation, 2.5.3 (the example, after M. Mazur) and 2.5.4 (its code, with the XOR variant).
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers, plot
from portanet.autodiff import grad, lift
from portanet.variables import bind

# %%
# The network
# -----------
# Sigmoid units, one bias for each layer that stays as it is, and a loss of half the sum of squares. The document calls
# the weights w1 to w8; w8 is 0.55 in its code and its figures, 0.88 in its text is a slip. Nine decimal places need
# float64, so the layers say so.

X = np.asarray([[0.05, 0.10]])
Y = np.asarray([[0.01, 0.99]])
HIDDEN = np.asarray([[0.15, 0.25], [0.20, 0.30]])  # w1 w3, w2 w4
OUTPUT = np.asarray([[0.40, 0.50], [0.45, 0.55]])  # w5 w7, w6 w8
COST = portanet.losses.QuadraticCost(reduction="sum")  # half the sum of squared differences


def network(hidden: Any = HIDDEN, output: Any = OUTPUT, biases: tuple[float, float] = (0.35, 0.60)) -> Any:
    """A network of sigmoid units with these weights, whose biases are not trained."""
    (inputs, middle), last = np.shape(hidden), np.shape(output)[1]
    model = portanet.Sequential(
        [
            layers.Input((inputs,), dtype="float64"),
            layers.Dense(middle, "sigmoid", dtype="float64", name="hidden"),
            layers.Dense(last, "sigmoid", dtype="float64", name="output"),
        ]
    )
    model.set_weights([hidden, np.full(middle, biases[0]), output, np.full(last, biases[1])])
    for path, variable in model.named_variables().items():
        variable.trainable = path.endswith("kernel")
    model.compile(portanet.optimizers.SGD(0.5), COST)
    return model


def train(model: Any, x: Any, y: Any) -> list[float]:
    """Train with one example after the other; returns the mean loss of each tenth of the steps."""
    size = len(x) // 10
    history = []
    for start in range(0, 10 * size, size):
        part = slice(start, start + size)
        history += model.fit(x[part], y[part], batch_size=1, shuffle=False, verbose=0).history["loss"]
    return history


def error_of(model: Any) -> float:
    """The error of the network on its one example, in float64."""
    return float(COST(portanet.asarray(Y, "float64"), model(portanet.asarray(X, "float64"))))


# %%
# The error over 10,000 steps
# ---------------------------
# The picture first: the error falls from 0.298 to 0.000035. Each point is the mean over 1,000 steps.


def repeat(steps: int = 10_000) -> tuple[Any, list[float]]:
    """The network after some steps on its one example, and the losses on the way."""
    model = network()
    return model, train(model, np.repeat(X, steps, axis=0), np.repeat(Y, steps, axis=0))


trained, losses = repeat()
figure, ax = plt.subplots(figsize=(6, 3.5))
ax.semilogy(np.arange(1, 11) * 1000, losses, "o-")
ax.set(xlabel="step", ylabel="error, mean of 1,000 steps")

# %%
# Step 1: forward
# ---------------
# From the inputs 0.05 and 0.10 to the hidden units, and from these to the outputs. The document prints 0.593269992 and
# 0.596884378 for the hidden units, 0.75136507 and 0.772928465 for the outputs, and the error 0.298371109.


def forward() -> tuple[Any, Any, float]:
    """The hidden units, the outputs and the error before training."""
    model = network()
    hidden, output = model.layers
    h = hidden(portanet.asarray(X, "float64"))
    return portanet.to_host(h)[0], portanet.to_host(output(h))[0], error_of(model)


h, out, error = forward()
print("hidden  ", h.tolist())
print("outputs ", out.tolist())
print(f"error    {error:.9f}")

# %%
# Step 2: backward
# ----------------
# The chain rule gives 0.082167041 for the slope of the error by w5, and 0.000438568 by w1. Nothing is derived by hand
# here: `grad` differentiates the loss as it is written.


def slopes() -> dict[str, Any]:
    """The gradient of the error by both kernels; of shape (inputs, outputs), so that w5 is first of the second."""
    model = network()
    named = model.named_variables()

    def loss(kernels: dict[str, Any]) -> Any:
        with bind({named[path]: kernel for path, kernel in kernels.items()}):
            return COST(lift(portanet.asarray(Y, "float64")), model(lift(portanet.asarray(X, "float64"))))

    gradient = grad(loss)({path: named[path].value for path in ("hidden/kernel", "output/kernel")})
    return {path: portanet.to_host(value) for path, value in gradient.items()}


gradient = slopes()
print(f"by w5 {gradient['output/kernel'][0, 0]:.9f}")
print(f"by w1 {gradient['hidden/kernel'][0, 0]:.9f}")

# %%
# Step 3: new weights
# -------------------
# The document prints 0.35891648, 0.408666186, 0.511301270, 0.561370121 for w5 to w8, and 0.149780716, 0.19956143,
# 0.24975114, 0.29950229 for w1 to w4.


def one_step() -> tuple[Any, Any, float]:
    """Both kernels and the error after one step."""
    model = network()
    model.train_on_batch(X, Y)
    hidden, _, output, _ = model.get_weights()
    return hidden, output, error_of(model)


hidden, output, error = one_step()
print("w1 to w4", hidden.T.ravel().tolist())
print("w5 to w8", output.T.ravel().tolist())
print(f"error    {error:.9f} after one step")
print(f"error    {error_of(trained):.10f} after 10,000 steps")
print("outputs ", trained.predict(X)[0].tolist())

# %%
# The document prints 0.291027924 after one step, and 0.000035085 after 10,000. These two do not belong to the weights
# that it prints: they come of a loop that updates the output weights before the hidden gradients, which its own text
# says not to do. The right values are 0.291027774 and 0.0000351019.
#
# XOR
# ---
# The document's code ends with a variant in comments: five hidden units, one output, the four examples of XOR, one
# drawn at random in each of 10,000 steps. Weights and biases are drawn from 0 to 1. For some thousand steps the network
# says 0.5 to everything, an error of 1/8; then it finds the two lines that separate the corners.

CORNERS = np.asarray([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
PARITY = np.asarray([[0.0], [1.0], [1.0], [0.0]])


def xor(steps: int = 10_000, hidden: int = 5, seed: int = 0) -> tuple[Any, list[float]]:
    """The network of the XOR variant after some steps on random examples, and the losses on the way."""
    generator = np.random.default_rng(seed)
    model = network(generator.random((2, hidden)), generator.random((hidden, 1)), tuple(generator.random(2)))
    drawn = generator.integers(0, 4, steps)
    return model, train(model, CORNERS[drawn], PARITY[drawn])


model, losses = xor()
print("XOR of 00, 01, 10, 11:", model.predict(CORNERS)[:, 0].round(3))
figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
left.plot(np.arange(1, 11) * (10_000 // 10), losses, "o-")
left.set(xlabel="step", ylabel="error of an example")
plot.decision_boundary(model, CORNERS, PARITY, probability=True, resolution=60, ax=right)
plt.show()
