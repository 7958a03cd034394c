r"""Three rules for one neuron: perceptron, ADALINE, delta rule
===========================================================

One neuron and one line between two classes. The perceptron corrects mistakes. ADALINE descends the squared error of its
weighted sum. The delta rule of Rumelhart does the same behind an activation. All three add the example to the weights,
times an error.

Source: Shanahan, act 1: "Perceptron learning algo", "Perceptron Update Example", "Widrow and Hoff, ADALINE"; act 2:
"BackProp", equations 2 to 6.
"""

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers, plot


def clouds(examples: int = 40, gap: float = 2.0, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Two clouds of points in the plane, of classes 0 and 1."""
    y = np.arange(examples) % 2
    centers = np.where(y[:, None] == 1, gap / 2, -gap / 2)
    x = centers + np.random.default_rng(seed).normal(0, 0.5, (examples, 2))
    return x.astype("float32"), y[:, None].astype("float32")


def perceptron(x: np.ndarray, y: np.ndarray, epochs: int = 20) -> tuple[portanet.Sequential, list[int]]:
    """A perceptron after Rosenblatt's rule, and its mistakes in each epoch."""
    unit = layers.Perceptron(1)
    model = portanet.Sequential([layers.Input((2,)), unit])
    return model, unit.learn(portanet.asarray(x), portanet.asarray(y), epochs=epochs)


def trained(
    x: np.ndarray, y: np.ndarray, activation: str | None, rate: float, epochs: int = 20
) -> tuple[portanet.Sequential, list[float]]:
    """A unit after gradient descent on the squared error, one example at a time, and its loss in each epoch."""
    portanet.random.set_seed(0)
    unit = layers.Dense(1, activation, kernel_initializer="zeros")
    model = portanet.Sequential([layers.Input((2,)), unit])
    model.compile(portanet.optimizers.SGD(rate), "mse")
    return model, model.fit(x, y, batch_size=1, epochs=epochs, shuffle=False, verbose=0).history["loss"]


def wrong(model: portanet.Sequential, x: np.ndarray, y: np.ndarray, threshold: float) -> int:
    """The number of examples on the wrong side."""
    return int(np.sum((model.predict(x, verbose=0) > threshold) != (y > 0.5)))


# %%
# Three lines
# -----------
# ADALINE learns the targets -1 and 1 with a linear unit, so its line is where the sum is 0. The delta rule learns 0 and
# 1 behind a sigmoid.
x, y = clouds()
first, mistakes = perceptron(x, y)
second, squares = trained(x, 2 * y - 1, None, rate=0.02)
third, errors = trained(x, y, "sigmoid", rate=0.5)

figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), layout="constrained")
for ax, name, model, threshold in zip(
    axes, ("perceptron", "ADALINE", "delta rule"), (first, second, third), (0.5, 0.0, 0.5), strict=True
):
    plot.decision_boundary(model, x, y, threshold=threshold, ax=ax)
    ax.set_title(f"{name}: {wrong(model, x, y, threshold)} wrong")

# %%
# All three separate the classes. The perceptron stops as soon as nothing is wrong, so its line may pass close to a
# point. The others go on: their error counts how far each point is from its target.
print("mistakes of the perceptron, by epoch:", mistakes)
print(f"squared error of ADALINE: first epoch {squares[0]:.3f}, last {squares[-1]:.3f}")
print(f"squared error of the delta rule: first epoch {errors[0]:.3f}, last {errors[-1]:.3f}")

# %%
# The document's updates
# ----------------------
# The perceptron starts with weights 0. Each mistake adds :math:`x_i y_i`, and a correct example changes nothing. The
# document's sequence of four updates, 2, 3, 1, 3, overshoots on the way. `steps` shows it for three examples.


def steps(
    x: tuple[tuple[float, float], ...] = ((2.0, 1.0), (2.0, -1.0), (1.0, 1.0)),
    y: tuple[int, ...] = (1, 1, 0),
    order: tuple[int, ...] = (1, 2, 0, 2),
) -> np.ndarray:
    """The weights before and after each example, in the order given."""
    unit = layers.Perceptron(1, use_bias=False)
    unit.build((None, 2))
    path = [np.zeros(2)]
    for i in order:
        unit.learn(portanet.asarray([x[i]]), portanet.asarray([[float(y[i])]]))
        path.append(unit.get_weights()[0][:, 0])
    return np.asarray(path)


print("weights:", *(str(weights.tolist()) for weights in steps()))

# %%
# Without a line, no end
# ----------------------
# If the clouds overlap, the perceptron never stops: in each epoch some example is wrong, and moves the line. The delta
# rule settles at the line with the least error.
x, y = clouds(examples=100, gap=1.0, seed=1)
_, mistakes = perceptron(x, y, epochs=40)
third, errors = trained(x, y, "sigmoid", rate=0.1, epochs=40)
figure, ax = plt.subplots(figsize=(6, 3.5))
ax.plot(mistakes, label="perceptron: mistakes in an epoch")
ax.plot(np.asarray(errors) * 100, label="delta rule: 100 times the squared error")
ax.set(xlabel="epoch")
ax.legend()
print("perceptron:", mistakes[-5:], "wrong in the last epochs; delta rule:", wrong(third, x, y, 0.5), "wrong")

# %%
# The delta rule is the gradient
# ------------------------------
# Rumelhart's derivation: with :math:`E_p = \frac12 (t - o)^2` and a linear unit,
# :math:`-\partial E_p / \partial w_i = (t - o)\,i_i`. ADALINE on the document's five points finds the line 1.9 x + 0.1.


def adaline(epochs: int = 700, rate: float = 0.05) -> tuple[float, float]:
    """Slope and intercept of a linear unit after batch gradient descent on the five points."""
    x, y = np.arange(1.0, 6.0)[:, None], np.asarray([[2.0], [3.0], [7.0], [8.0], [9.0]])
    model = portanet.Sequential([layers.Input((1,)), layers.Dense(1)])
    model.compile(portanet.optimizers.SGD(rate), "mse")
    model.fit(x, y, batch_size=5, epochs=epochs, verbose=0)
    kernel, bias = model.get_weights()
    return float(kernel[0, 0]), float(bias[0])


slope, intercept = adaline()
print(f"ADALINE: slope {slope:.3f}, intercept {intercept:.3f}")
plt.show()
