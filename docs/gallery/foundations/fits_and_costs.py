r"""A line, and its place on the cost surface, step by step
========================================================

On the left the fitted line, on the right the point that it is in the plane of its two weights. Each step of gradient
descent moves the point downhill, and the line with it. Three costs: least squares, the logistic loss, and that of a
support vector machine.

Source: Shanahan, act 0: "Least Square Fit Approximations", "Brute Force Search of Weights", "Gradient Descent for LR
Price~Size, iterations 0 to 9", "As machine learners why do we care?", and "the gradient chorus".
"""

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from portanet import plot
from portanet.autodiff import array_namespace, grad
from portanet.optimizers import minimize

POINTS = np.asarray([[1.0, 2.0], [2.0, 3.0], [3.0, 7.0], [4.0, 8.0], [5.0, 9.0]])
"""The document's five points. The best line is y = 1.9 x + 0.1."""

# %%
# The costs
# ---------
# Each is a function of a slope and an intercept, of any shape, so that it can be differentiated, and drawn as a
# surface. Least squares is the mean of :math:`(wx + b - y)^2`. For two classes, :math:`y` is -1 or 1, and the margin of
# an example is :math:`m = y(wx + b)`. The logistic loss is :math:`\log(1 + e^{-m})`; the support vector machine takes
# :math:`w^2/2 + C\max(0, 1 - m)`, where :math:`C` is the price of a margin below 1.


def fitted(w: Any, b: Any, x: np.ndarray) -> Any:
    """The line w x + b, with a last axis for the examples."""
    xp = array_namespace(w)
    return xp.expand_dims(w, axis=-1) * x + xp.expand_dims(b, axis=-1)


def squares(w: Any, b: Any) -> Any:
    """The mean of the squared residuals of the five points."""
    return array_namespace(w).mean((fitted(w, b, POINTS[:, 0]) - POINTS[:, 1]) ** 2, axis=-1)


def classes(examples: int = 20, seed: int = 0) -> np.ndarray:
    """Numbers of two classes, -1 around -1 and 1 around 1, which overlap a little."""
    y = np.repeat([-1.0, 1.0], examples // 2)
    return np.stack([np.random.default_rng(seed).normal(y, 0.8), y], axis=1)


def logistic(w: Any, b: Any) -> Any:
    """The mean logistic loss, computed such that no margin overflows."""
    xp, data = array_namespace(w), classes()
    margins = fitted(w, b, data[:, 0]) * data[:, 1]
    return xp.mean(xp.log1p(xp.exp(-xp.abs(margins))) + xp.maximum(-margins, margins * 0.0), axis=-1)


def soft_margin(w: Any, b: Any, c: float = 10.0) -> Any:
    """The cost of a support vector machine: small weights, and C times the mean of what margins lack of 1."""
    xp, data = array_namespace(w), classes()
    lacks = 1 - fitted(w, b, data[:, 0]) * data[:, 1]
    return w**2 / 2 + c * xp.mean(xp.maximum(lacks, lacks * 0.0), axis=-1)


def descent(cost: Callable[[Any, Any], Any], start: tuple[float, float], rate: float, steps: int) -> np.ndarray:
    """The weights before each step of gradient descent, and after the last."""
    path = [np.asarray(start)]
    slopes = grad(lambda v: cost(v[0], v[1]))
    for _ in range(steps):
        path.append(path[-1] - rate * slopes(path[-1]))
    return np.asarray(path)


def beside(
    cost: Callable[[Any, Any], Any], path: np.ndarray, draw: Callable[[Any, float, float], Any], shown: tuple[int, ...]
) -> plt.Figure:
    """Some steps of a path: above the fit, below the place on the contours of the cost."""
    figure, axes = plt.subplots(2, len(shown), figsize=(3 * len(shown), 5.5), layout="constrained")
    low, high = path.min(axis=0), path.max(axis=0)
    reach = 0.6 * max(high - low) + 0.2
    middle = (low + high) / 2
    xlim, ylim = ((middle[i] - reach, middle[i] + reach) for i in (0, 1))
    for column, step in enumerate(shown):
        draw(axes[0, column], *path[step])
        axes[0, column].set_title(f"step {step}: cost {float(cost(*path[step])):.3f}")
        plot.contours(cost, xlim, ylim, log=True, ax=axes[1, column])
        axes[1, column].plot(*path[: step + 1].T, "r.-")
        axes[1, column].set(xlabel="slope w", ylabel="intercept b" if column == 0 else "")
    return figure


def line(ax: Any, w: float, b: float) -> None:
    """The five points and a line."""
    ax.plot(*POINTS.T, "ko")
    ax.plot([0, 6], [b, 6 * w + b])
    ax.set(xlim=(0, 6), ylim=(-1, 12))


path = descent(squares, (0.0, 0.0), rate=0.07, steps=400)
beside(squares, path, line, (0, 1, 2, 9, 400))

# %%
# Two or three steps bring the line close: that direction of the surface is steep. Then the point creeps along the
# bottom of a narrow valley, because slope and intercept can replace each other.
best = np.linalg.lstsq(np.stack([POINTS[:, 0], np.ones(5)], axis=1), POINTS[:, 1], rcond=None)[0]
print(f"gradient descent, 400 steps: m = {path[-1][0]:.4f}, b = {path[-1][1]:.4f}")
print(f"the normal equations:        m = {best[0]:.4f}, b = {best[1]:.4f}   (document: 1.9 and 0.1)")

# %%
# Searching all weights
# ---------------------
# With two weights one may try them all, on a grid. The document's heat map does that. With 10 values for each of 100
# weights there would be :math:`10^{100}` trials; the gradient needs one evaluation to know the way.


def brute_force(points: int = 61) -> tuple[np.ndarray, tuple[float, float]]:
    """The cost on a grid of weights, and the best of them."""
    w, b = np.meshgrid(np.linspace(0, 4, points), np.linspace(-3, 3, points))
    cost = squares(w, b)
    place = np.unravel_index(np.argmin(cost), cost.shape)
    return cost, (float(w[place]), float(b[place]))


cost, found = brute_force()
figure, ax = plt.subplots(figsize=(5, 4), layout="constrained")
figure.colorbar(
    ax.imshow(np.log10(cost), origin="lower", extent=(0, 4, -3, 3), aspect="auto"), label="log10 of the cost"
)
ax.plot(*found, "r*", markersize=12)
ax.set(xlabel="slope w", ylabel="intercept b")
print(f"best of {cost.size} pairs: w = {found[0]:.2f}, b = {found[1]:.2f}")

# %%
# Logistic regression
# -------------------
# The curve is the probability of the second class; the points are the examples. While the weight grows, the curve gets
# steeper.


def probability(ax: Any, w: float, b: float) -> None:
    """The examples and the logistic curve."""
    data, x = classes(), np.linspace(-3, 3, 100)
    ax.plot(data[:, 0], (data[:, 1] + 1) / 2, "ko")
    ax.plot(x, 1 / (1 + np.exp(-(w * x + b))))


path = descent(logistic, (-1.0, 1.5), rate=2.0, steps=40)
beside(logistic, path, probability, (0, 1, 3, 8, 40))

# %%
# Support vector machine
# ----------------------
# The line is :math:`wx + b`. Only examples whose margin is below 1 pull it: the others are in the flat part of the
# cost. The surface has folds, where an example enters or leaves the margin.


def margin(ax: Any, w: float, b: float) -> None:
    """The examples, the line, and its margin."""
    data, x = classes(), np.linspace(-3, 3, 2)
    ax.plot(data[:, 0], data[:, 1], "ko")
    ax.plot(x, w * x + b)
    ax.axhspan(-1, 1, alpha=0.1)
    ax.set_ylim(-4, 4)


path = descent(soft_margin, (-1.0, 1.5), rate=0.03, steps=200)
beside(soft_margin, path, margin, (0, 5, 15, 30, 200))


def lowest(cost: Callable[[Any, Any], Any]) -> Any:
    """The minimum by L-BFGS, for comparison."""
    return minimize(lambda v: cost(v[0], v[1]), np.asarray([0.5, 0.1]), tolerance=1e-8)


print("                              slope   intercept  cost")
for name, cost_of, end in (
    ("least squares", squares, descent(squares, (0.0, 0.0), 0.07, 400)[-1]),
    ("logistic", logistic, descent(logistic, (-1.0, 1.5), 2.0, 40)[-1]),
    ("support vector machine", soft_margin, path[-1]),
):
    print(f"{name:28} {end[0]:6.3f}  {end[1]:6.3f}     {float(cost_of(*end)):.4f}")
for name, cost_of in (("least squares, L-BFGS", squares), ("logistic, L-BFGS", logistic)):
    low = lowest(cost_of)
    print(f"{name:28} {low.x[0]:6.3f}  {low.x[1]:6.3f}     {low.value:.4f}")

# %%
# The gradient chorus
# -------------------
# "The gradient is the weighted sum of the training data, where the weights are proportional to the error." For one
# example it is the error times the example. The document calculates two updates by hand.


def update(weights: Any, x: Any, error: float, rate: float = 0.01) -> np.ndarray:
    """One step for one example, whose target is chosen such that it has this error."""
    weights, x = np.asarray(weights, dtype=float), np.asarray(x, dtype=float)
    target = weights @ x - error
    return weights - rate * grad(lambda w: (array_namespace(w).sum(w * x) - target) ** 2 / 2)(weights)


print(update([5, 4, 8], [34, 1, 4], error=2), "(document: 4.32 3.98 7.92)")
print(update([2, -1, 4, 8], [1, 5, 1, 2], error=7), "(document: 1.93 -1.35 3.93 7.86)")
plt.show()
