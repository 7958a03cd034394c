"""Training by chance: Boltzmann, Cauchy, and weight perturbation
===============================================================

Before, or beside, backpropagation: change the weights at random and keep what helps. Sometimes keep what does not help,
which leaves local minima. And a gradient may be measured, one weight at a time, by a small change.

Source: the articles, "Neural Nets" (F. Tseng), statistical training: simulated annealing as Boltzmann training, Cauchy
training, their combination with backpropagation, and partial derivatives by changing each weight.
"""

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers, ops, optimizers, plot
from portanet.autodiff import array_namespace

# %%
# A surface with many minima
# --------------------------
# The lowest point is at (0, 0). Between it and the start are many others.


def surface(x: Any, y: Any) -> Any:
    """A bowl with waves, 0 at (0, 0)."""
    xp = array_namespace(x, y)
    return 0.05 * (x * x + y * y) + 2 - xp.cos(3 * x) - xp.cos(3 * y)


# %%
# Two ways to be random
# ---------------------
# Boltzmann training draws changes from a normal distribution as wide as the temperature T, which falls like 1 / log t.
# Cauchy training draws them from T / (T^2 + x^2), as T tan(u) with u uniform between -pi/2 and pi/2. It makes a far
# jump now and then, so its temperature may fall like 1 / t. Both keep a change that raises the cost by c with the
# probability exp(-c / kT). With `push`, a step of backpropagation is mixed into each change, with the share eta.


def anneal(
    cost: Callable[[np.ndarray], float],
    start: Any,
    kind: str,
    steps: int = 400,
    heat: float = 1.0,
    k: float = 1.0,
    push: Callable[[np.ndarray], np.ndarray] | None = None,
    eta: float = 0.5,
    seed: int = 0,
) -> tuple[np.ndarray, np.ndarray]:
    """Train by chance.

    Args:
        cost: The cost of a vector of weights.
        start: The first weights.
        kind: `"boltzmann"` or `"cauchy"`.
        steps: Number of changes that are tried.
        heat: The first temperature.
        k: The factor of the temperature in the probability.
        push: The step of backpropagation at a vector; None for chance alone.
        eta: Its share: 1 is backpropagation alone, 0 chance alone.
        seed: For the draws.

    Returns:
        The weights after each step, shape (steps + 1, weights), and their costs.
    """
    generator = np.random.default_rng(seed)
    points, costs = [np.asarray(start, dtype=float)], [cost(np.asarray(start, dtype=float))]
    for t in range(1, steps + 1):
        if kind == "boltzmann":
            temperature = heat / np.log(1 + t)
            change = generator.normal(0, temperature, len(points[0]))
        else:
            temperature = heat / (1 + 0.02 * t)
            change = temperature * np.tan(generator.uniform(-np.pi / 2, np.pi / 2, len(points[0])))
        if push is not None:
            change = eta * push(points[-1]) + (1 - eta) * change
        proposed = points[-1] + change
        value = cost(proposed)
        keep = value < costs[-1] or generator.random() < np.exp(-(value - costs[-1]) / (k * temperature))
        points.append(proposed if keep else points[-1])
        costs.append(value if keep else costs[-1])
    return np.stack(points), np.asarray(costs)


def on_surface(point: np.ndarray) -> float:
    """The height at a point."""
    return float(surface(*np.asarray(point, dtype=float)))


START = (4.3, 4.1)
HEAT = {"boltzmann": 4.0, "cauchy": 1.0}
paths = {"gradient descent": portanet.to_host(optimizers.descend(surface, START, optimizers.SGD(0.05), steps=100))}
paths |= {kind: anneal(on_surface, START, kind, heat=heat, seed=5)[0] for kind, heat in HEAT.items()}
ax = plot.trajectories(surface, paths, xlim=(-6, 6), ylim=(-6, 6), log=False)
for name, path in paths.items():
    print(f"{name}: the lowest height on its way is {min(map(on_surface, path)):.3f}")

# %%
# Gradient descent stays in the nearest hollow. The others jump out of it. How often do they find the lowest hollow?


def successes(kind: str, seeds: int = 20, steps: int = 400) -> float:
    """The share of runs that come below a height of 0.2, which only the lowest hollow has."""
    runs = (anneal(on_surface, START, kind, steps, HEAT[kind], seed=seed)[1] for seed in range(seeds))
    return float(np.mean([costs.min() < 0.2 for costs in runs]))


for steps in (400, 1500):
    print(f"{steps} steps:", {kind: successes(kind, steps=steps) for kind in HEAT})

# %%
# A network, with and without a gradient
# --------------------------------------
# XOR with two hidden units, whose nine weights are the point. From this start, backpropagation ends in a local minimum.
# With half of each step left to chance it does not. Other starts have other winners: try `train_xor(seed=1)`.

XOR = np.asarray([[0, 0], [0, 1], [1, 0], [1, 1]], "float32"), np.asarray([[0], [1], [1], [0]], "float32")


def network(seed: int = 0) -> portanet.Sequential:
    """A network with 2, 2 and 1 units."""
    portanet.random.set_seed(seed)
    model = portanet.Sequential([layers.Input((2,)), layers.Dense(2, "tanh"), layers.Dense(1, "sigmoid")])
    model.compile(optimizers.SGD(0.5), "mse")
    return model


def set_vector(model: portanet.Sequential, vector: np.ndarray) -> None:
    """All weights of a model from one vector."""
    shapes = [w.shape for w in model.get_weights()]
    parts = np.split(vector, np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1])
    model.set_weights([part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)])


def vector_of(values: Any) -> np.ndarray:
    """Weights or gradients as one vector."""
    return np.concatenate([portanet.to_host(value).ravel() for value in values]).astype(float)


def cost_of(model: portanet.Sequential) -> Callable[[np.ndarray], float]:
    """The mean squared error on XOR as a function of all weights."""
    x = portanet.asarray(XOR[0])

    def cost(vector: np.ndarray) -> float:
        set_vector(model, vector)
        return float(np.mean((portanet.to_host(model(x)) - XOR[1]) ** 2))

    return cost


def gradient_of(model: portanet.Sequential) -> Callable[[np.ndarray], np.ndarray]:
    """Its gradient, by backpropagation."""
    x, y = (portanet.asarray(values) for values in XOR)

    def gradient(vector: np.ndarray) -> np.ndarray:
        set_vector(model, vector)
        return vector_of(model.value_and_gradients(lambda: ops.mean((model(x) - y) ** 2))[1])

    return gradient


def train_xor(steps: int = 400, seed: int = 0) -> dict[str, np.ndarray]:
    """The costs at each step, by backpropagation, by chance, and by both."""
    model = network(seed)
    start = vector_of(model.get_weights())
    cost, gradient = cost_of(model), gradient_of(model)

    def push(vector: np.ndarray) -> np.ndarray:
        return -2.0 * gradient(vector)

    ways = {"backpropagation": (push, 1.0), "Cauchy": (None, 0.0), "both, eta .5": (push, 0.5)}
    return {
        name: anneal(cost, start, "cauchy", steps, 0.3, 0.01, way, eta, seed)[1] for name, (way, eta) in ways.items()
    }


runs = train_xor()
figure, ax = plt.subplots(figsize=(6, 3), layout="constrained")
for name, costs in runs.items():
    ax.semilogy(costs, label=name)
    print(f"XOR, {name}: mean squared error {costs[-1]:.4f}")
ax.set(xlabel="step", ylabel="mean squared error")
ax.legend()

# %%
# The gradient by perturbation
# ----------------------------
# Change one weight a little and see what the cost does: after nine changes, the gradient is known, to a few digits. A
# network with a million weights would need a million runs forward; backpropagation needs one forward and one back.


def perturbed_gradient(seed: int = 0, step: float = 1e-5) -> tuple[np.ndarray, np.ndarray]:
    """The gradient of the cost by changing each weight, and the one by backpropagation."""
    with portanet.use_backend("numpy", dtype="float64"):
        model = network(seed)
        vector, cost = vector_of(model.get_weights()), cost_of(model)
        here = cost(vector)
        measured = np.asarray([(cost(vector + step * unit) - here) / step for unit in np.eye(len(vector))])
        return measured, gradient_of(model)(vector)


measured, exact = perturbed_gradient()
print("by perturbation   ", measured.round(5))
print("by backpropagation", exact.round(5))
plt.show()
