"""Four ways to a derivative, and logistic regression with one of them
===================================================================

Differences, forward mode and reverse mode on the book's function, the check that compares them, and a classifier for
two moons whose loss is written out and differentiated.

Source: Ketkar, chapter 9: numerical differentiation, listings 9-1, 9-2 and 9-3 (figures 9-10 and 9-11).
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_moons

import portanet
from portanet import plot
from portanet.autodiff import array_namespace, check_grads, grad, jvp, numeric_grad, numeric_jvp, show, value_and_grad

# %%
# 9-3: logistic regression
# ------------------------
# The activation is :math:`(\tanh x + 1) / 2`, the loss the sum of the negative logarithms of what the model gives to
# the right labels, and training 100 steps of steepest descent at 0.001 from the weights (1, 1). There is no bias, so
# the boundary goes through the origin.


def activation(x: Any) -> Any:
    """From 0 to 1, as the sigmoid of 2 x."""
    return 0.5 * (array_namespace(x).tanh(x) + 1)


def predict(weights: Any, inputs: Any) -> Any:
    """The probability of class 1 for each row."""
    return activation(array_namespace(weights).matmul(inputs, weights))


def descend(steps: int = 100, examples: int = 500, rate: float = 0.001, seed: int = 0) -> tuple[Any, list[float], Any]:
    """The weights, the loss before each step, and the data, after steepest descent."""
    x, labels = make_moons(examples, noise=0.1, random_state=seed)
    inputs, y = portanet.asarray(x), portanet.asarray(labels.astype(float))

    def loss(weights: Any) -> Any:
        xp, p = array_namespace(weights), predict(weights, inputs)
        return -xp.sum(xp.log(p * y + (1 - p) * (1 - y)))

    weights, losses = portanet.asarray([1.0, 1.0]), []
    for _ in range(steps):
        value, slope = value_and_grad(loss)(weights)
        losses.append(float(value))
        weights = weights - rate * slope
    return weights, losses, (x, labels)


def accuracy(weights: Any, x: Any, labels: Any) -> float:
    """The fraction of right answers."""
    return float(np.mean((portanet.to_host(predict(weights, portanet.asarray(x))) > 0.5) == labels))


weights, losses, (x, labels) = descend()
figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4), layout="constrained")
plot.decision_boundary(
    lambda points: portanet.to_host(predict(weights, portanet.asarray(points))), x, labels, probability=True, ax=left
)
right.plot(losses)
right.set(xlabel="step", ylabel="loss", ylim=(0, None))
print(f"loss {losses[0]:.1f} to {losses[-1]:.1f}, accuracy {accuracy(weights, x, labels):.3f}")

# %%
# A straight line cannot separate the moons; it leaves the tips of both on the wrong side.
#
# 9-1: the gradient of one function
# ---------------------------------
# :math:`f(x_1, x_2) = \sqrt{x_1^2 + x_2^2}` at (1, 2). The book prints 2.23, 0.44 and 0.89; with seven digits these are
# 2.2360680, 0.4472136 and 0.8944272. `show` prints the list of operations, which figures 9-1 to 9-7 draw: forward mode
# goes through it from the top, once for each input; reverse mode from the bottom, once for all.


def f(x1: Any, x2: Any) -> Any:
    """The book's function."""
    return array_namespace(x1).sqrt(x1 * x1 + x2 * x2)


def derivatives() -> dict[str, tuple[float, float]]:
    """Both derivatives at (1, 2): by reverse mode, by forward mode, and by differences."""
    at, one, zero = (portanet.asarray(1.0), portanet.asarray(2.0)), portanet.asarray(1.0), portanet.asarray(0.0)
    forward = [jvp(f, at, tangent)[1] for tangent in ((one, zero), (zero, one))]
    pairs = {
        "reverse mode": [grad(f, i)(*at) for i in (0, 1)],
        "forward mode": forward,
        "differences": [numeric_grad(f, i)(*at) for i in (0, 1)],
    }
    return {name: (float(first), float(second)) for name, (first, second) in pairs.items()}


print(show(f, portanet.asarray(1.0), portanet.asarray(2.0)))
print("value", float(f(portanet.asarray(1.0), portanet.asarray(2.0))))
for name, pair in derivatives().items():
    print(f"{name:13} {pair[0]:.7f} {pair[1]:.7f}")

# %%
# 9-2: the check
# --------------
# `check_grads` compares forward and reverse mode with differences. It returns nothing if they agree, and raises if not.


def checked() -> None:
    """The book's check of f."""
    check_grads(f, (portanet.asarray(1.0), portanet.asarray(2.0)))


checked()
print("the gradient of f is right")

# %%
# How good are differences?
# -------------------------
# The book gives forward and backward differences an error of order h, central ones :math:`h^2`, and Richardson's
# extrapolation :math:`h^4`. So lines of slope 1, 1, 2 and 4, until rounding takes over: on the left of the picture the
# error grows again. That is why nobody trains with differences.

METHODS = {"forward": 1, "backward": 1, "central": 2, "richardson": 4}


def error(method: str, step: float, at: float = 0.7) -> float:
    """The error of a method for the derivative of exp(sin 3x), in float64."""
    x, one = np.asarray(at), np.asarray(1.0)
    slope = numeric_jvp(lambda x: np.exp(np.sin(3 * x)), (x,), (one,), method, step)
    return abs(float(slope) - 3 * np.cos(3 * at) * np.exp(np.sin(3 * at)))


steps = np.logspace(-8, -1, 57)
figure, ax = plt.subplots(figsize=(6, 4))
for method, order in METHODS.items():
    ax.loglog(steps, [error(method, float(step)) for step in steps], label=f"{method}, order {order}")
ax.set(xlabel="h", ylabel="error")
ax.legend()
plt.show()
