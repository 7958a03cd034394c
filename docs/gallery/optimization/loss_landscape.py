r"""The landscape of a loss
=======================

A loss depends on thousands of weights, and cannot be drawn. But one can walk along a straight line, or on a plane, and
draw what one meets. For a linear classifier with the loss of the support vector machine that is a bowl with flat sides;
for a network it has hills.

Source: NumpyDL documentation, 2.3.2, "Visualizing the objective function" (with its figure of the multiclass SVM, and
figure 2.5), there with CIFAR-10, here with the digits of scikit-learn; H. Li and others, "Visualizing the loss
landscape of neural nets" (2018).
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import portanet
from portanet import layers, losses, optimizers, plot

LABELS = load_digits().target
DIGITS = np.concatenate([load_digits().data / 16, np.ones((len(LABELS), 1))], axis=1)
"""The last column is 1, so that the bias is part of the weights."""

# %%
# Along a ray and on a plane
# --------------------------
# For one example, :math:`L_i = \sum_{j \neq y_i} \max(0, w_j \cdot x_i - w_{y_i} \cdot x_i + 1)`. We take random
# weights `W` and random directions, and draw :math:`L(W + a W_1)` and :math:`L(W + a W_1 + b W_2)`, first for one
# example and then for a hundred.


def svm(count: int):
    """The loss of the multiclass SVM for the first examples, as a function of weights of shape (65, 10)."""
    x, y = portanet.asarray(DIGITS[:count], "float64"), portanet.asarray(LABELS[:count])
    return lambda weights: losses.MulticlassSVM()(y, x @ weights)


def weights(seed: int = 0) -> list:
    """Random weights, and two random directions."""
    generator = np.random.default_rng(seed)
    return [portanet.asarray(generator.standard_normal((65, 10)), "float64") for _ in range(3)]


start, first, second = weights()
figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 3.8), layout="constrained")
plot.loss_ray(svm(1), start, first, radius=3, points=121, ax=left)
plot.loss_plane(svm(1), start, (first, second), radius=3, points=21, ax=middle)
plot.loss_plane(svm(100), start, (first, second), radius=3, points=21, ax=right)
left.set_title("one example, along a ray")
middle.set_title("one example, on a plane")
right.set_title("a hundred examples")

# %%
# Left, the loss consists of straight pieces: each of the nine wrong classes adds a line that is cut off at 0. On the
# right a hundred such functions are averaged, and the bowl looks round. We count the kinks, and see that the loss never
# lies above the straight line between two of its points: it is convex.


def kinks(count: int, points: int = 601, radius: float = 3.0, seed: int = 0) -> int:
    """The number of places along the ray at which the slope changes."""
    start, first, _ = weights(seed)
    line = np.linspace(-radius, radius, points)
    values = plot.loss_values(svm(count), start, [first], [line])
    bends = np.abs(np.diff(values, n=2)) > 1e-4 * np.abs(np.diff(values)).max()
    return int(np.sum(bends[1:] & ~bends[:-1]) + bends[0])


def largest_excess(count: int, points: int = 61, radius: float = 3.0, seed: int = 0) -> float:
    """How far the loss lies above the middle of its neighbours along the ray, in units of the loss; 0 if convex."""
    start, first, _ = weights(seed)
    values = plot.loss_values(svm(count), start, [first], [np.linspace(-radius, radius, points)])
    return float(np.max(values[1:-1] - (values[:-2] + values[2:]) / 2) / values.max())


print(f"kinks: {kinks(1)} for one example, {kinks(5)} for five")
print(f"above the middle of its neighbours by at most {max(largest_excess(100), 0):.1e} of the loss")

# %%
# Three examples in one dimension
# -------------------------------
# The document takes three points :math:`x_0, x_1, x_2` on a line and three classes with one weight each. Along
# :math:`w_0`, each term is flat or a straight line that is cut off at 0 (thin), and so is the sum (thick).


def terms(w0: np.ndarray, points: tuple[float, ...] = (1.0, -0.5, 0.75), others: tuple[float, ...] = (0.5, -1.0)):
    """The six terms of the loss at each value of the first weight, shape (6, values)."""
    scores = [np.stack([w0 * x, np.full_like(w0, others[0] * x), np.full_like(w0, others[1] * x)]) for x in points]
    return np.stack([
        np.maximum(0, s[wrong] - s[right] + 1) for right, s in enumerate(scores) for wrong in range(3) if wrong != right
    ])  # fmt: skip


w0 = np.linspace(-4, 4, 200)
figure, ax = plt.subplots(figsize=(6, 3.6), layout="constrained")
ax.plot(w0, terms(w0).T, color="#999999", linewidth=1)
ax.plot(w0, terms(w0).sum(axis=0) / 3, linewidth=3, label="L")
ax.set_xlabel("$w_0$")
ax.set_ylabel("loss")
ax.legend()

# %%
# A network
# ---------
# "Once we extend our score functions to neural networks our objective functions will become non-convex." The plane goes
# through the weights of a trained network. Its two directions are random, and *filter-normalised*: the weights of each
# unit move by their own length, so that pictures of different networks can be compared.


def network(depth: int = 2, units: int = 16, epochs: int = 10) -> portanet.Model:
    """A network that was trained on the digits."""
    portanet.random.set_seed(0)
    hidden = [layers.Dense(units, "tanh") for _ in range(depth)]
    model = portanet.Sequential([layers.Input((65,)), *hidden, layers.Dense(10, "softmax")])
    model.compile(optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    model.fit(DIGITS, LABELS, epochs=epochs, verbose=0)
    return model


trained, data = network(), (DIGITS[:300], LABELS[:300])
before = trained.evaluate(*data, verbose=0)
figure = plt.figure(figsize=(10, 4.2), layout="constrained")
plot.loss_plane(trained, data, radius=2, points=19, log=True, ax=figure.add_subplot(1, 2, 1))
plot.loss_plane(trained, data, radius=2, points=19, kind="surface", ax=figure.add_subplot(1, 2, 2, projection="3d"))
print(f"the loss before {before:.6f} and after {trained.evaluate(*data, verbose=0):.6f}: the weights are as they were")
