"""Radial basis functions learn a chaotic map, forecast it and control it
======================================================================

The logistic map x(t+1) = 4 x(t) (1 - x(t)) looks random, but is a parabola. Five bell curves learn it from 100 numbers
of the series. The learned map forecasts the series for a few steps, and can steer it.

Source: the articles, "Radial basis function network": the five units with beta 5 (rms error 0.15), normalised with
beta 6 (0.084), local linear models, the comparison of the series, and control.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers
from portanet.fused.least_squares import least_squares

# %%
# The series
# ----------
# As a series it looks like noise. As pairs of neighbours it is a parabola: this is what the network has to find.


def logistic_map(x: Any) -> Any:
    """The next number of the series."""
    return 4 * x * (1 - x)


def series(start: float, count: int) -> np.ndarray:
    """`count` numbers of the series, shape (count, 1)."""
    result = [start]
    while len(result) < count:
        result.append(logistic_map(result[-1]))
    return np.asarray(result)[:, None]


train, test = series(0.3, 101), series(0.71, 101)
figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained", width_ratios=[2, 1])
axes[0].plot(train, ".-", linewidth=0.5)
axes[0].set(xlabel="t", ylabel="x(t)")
axes[1].plot(train[:-1], train[1:], ".")
axes[1].set(xlabel="x(t)", ylabel="x(t+1)")

# %%
# Three networks
# --------------
# `RBF` is the hidden layer, with five exemplars of the series as centres. The weights above it are trained in one pass
# through the 100 pairs, by the text's projection operator: each pair moves the weights a part, nu = 0.3, of the way to
# where the pair has no error.


class Network:
    """An RBF layer, and linear weights above it.

    Args:
        beta: The factor in the exponent.
        normalize: Whether the units are divided by their sum.
        local_linear: Whether each unit has a line of its own instead of a constant.
        seed: For the choice of the centres.
    """

    def __init__(self, beta: float, normalize: bool = False, local_linear: bool = False, seed: int = 3) -> None:
        self.layer = layers.RBF(5, normalize, local_linear=local_linear)
        self.layer.adapt(train[:-1], method="sample", seed=seed)
        self.layer.set_weights([self.layer.get_weights()[0], np.full(5, beta)])
        self.weights: Any = np.zeros(self.layer.compute_output_shape((None, 1))[1])

    def units(self, x: np.ndarray) -> np.ndarray:
        """What the hidden layer returns for numbers of shape (n, 1)."""
        return portanet.to_host(self.layer(portanet.asarray(x)))

    def project(self, x: np.ndarray, y: np.ndarray, nu: float = 0.3) -> "Network":
        """One pass of projection operator training."""
        for units, target in zip(self.units(x), y[:, 0], strict=True):
            self.weights = self.weights + nu * (target - units @ self.weights) * units / (units @ units)
        return self

    def solve(self, x: np.ndarray, y: np.ndarray) -> "Network":
        """The best weights in one step, by the pseudo-inverse."""
        units = portanet.asarray(self.units(x))
        self.weights = portanet.to_host(least_squares(units, portanet.asarray(y), 1e-6))[:, 0]
        return self

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """The forecast of the next numbers, shape (n, 1)."""
        return (self.units(x) @ self.weights)[:, None]


def rms(network: Network) -> float:
    """The root of the mean squared error on the test series."""
    return float(np.sqrt(np.mean((network(test[:-1]) - test[1:]) ** 2)))


KINDS = {
    "plain, beta 5": {"beta": 5.0},
    "normalised, beta 6": {"beta": 6.0, "normalize": True},
    "local linear, beta 6": {"beta": 6.0, "normalize": True, "local_linear": True},
}
networks = {name: Network(**options).project(train[:-1], train[1:]) for name, options in KINDS.items()}
x = np.linspace(0, 1, 200)[:, None]
figure, axes = plt.subplots(1, 3, figsize=(9, 3), layout="constrained", sharey=True)
for ax, (name, network) in zip(axes, networks.items(), strict=True):
    ax.plot(x, logistic_map(x), "k--", linewidth=1, label="the map")
    ax.plot(x, network(x), label="learned")
    ax.plot(x, network.units(x)[:, :5], "grey", linewidth=0.5)
    ax.set(title=f"{name}: rms {rms(network):.3f}", xlabel="x(t)", ylim=(-0.2, 1.2))
axes[0].legend(fontsize="small")

# %%
# The text reports 0.15 for the plain network and 0.084 for the normalised one. Which exemplars become centres decides
# much, so here are 200 draws of the centres. 0.15 is a usual draw; 0.084 is beyond the luckiest. Least squares in
# one step, the text's pseudo-inverse, is far better than one pass of small steps.


def errors_over_draws(kind: str, draws: int = 200) -> np.ndarray:
    """The rms errors of one kind of network for many draws of the five centres."""
    made = (Network(**KINDS[kind], seed=seed).project(train[:-1], train[1:]) for seed in range(draws))
    return np.asarray([rms(network) for network in made])


for name in KINDS:
    errors = errors_over_draws(name)
    low, middle, high = np.quantile(errors, [0.25, 0.5, 0.75])
    solved = rms(Network(**KINDS[name]).solve(train[:-1], train[1:]))
    print(f"{name}: median {middle:.3f}, half of the draws between {low:.3f} and {high:.3f}, best {errors.min():.3f}; "
          f"least squares {solved:.4f}")  # fmt: skip

# %%
# Forecast
# --------
# The networks are iterated from the exact start. The forecast is right for a few steps. Then it leaves the series: a
# small error doubles with every step on average, in any chaotic series (its Lyapunov exponent is log 2).


def forecast(network: Network, start: float, steps: int = 30) -> np.ndarray:
    """The series by a network alone, from its start."""
    result = [start]
    while len(result) < steps:
        result.append(float(network(np.asarray([[result[-1]]]))[0, 0]))
    return np.asarray(result)


best = Network(**KINDS["local linear, beta 6"]).solve(train[:-1], train[1:])
truth = series(0.71, 30)[:, 0]
figure, ax = plt.subplots(figsize=(8, 3), layout="constrained")
ax.plot(truth, "k--", label="the series")
for name, network in (("normalised", networks["normalised, beta 6"]), ("local linear, solved", best)):
    ax.plot(forecast(network, 0.71), label=name)
ax.set(xlabel="t", ylabel="x(t)", ylim=(-0.2, 1.3))
ax.legend(loc="upper right", fontsize="small")

# %%
# Control
# -------
# Let the series be x(t+1) = 4 x(t) (1 - x(t)) + c(t), and d(t+1) the number that we want. With the control
# c(t) = d(t+1) - network(x(t)), what remains is the error of the network. Meanwhile the network goes on learning from
# what it sees. The control begins at t = 20.


def controlled(network: Network, wish: np.ndarray, start: int = 20, nu: float = 0.3) -> np.ndarray:
    """The series under control, which begins at a step; `wish` holds the numbers that we want."""
    x = [0.3]
    for t in range(len(wish) - 1):
        now = np.asarray([[x[-1]]])
        control = float(wish[t + 1] - network(now)[0, 0]) if t >= start else 0.0
        x.append(float(np.clip(logistic_map(x[-1]) + control, 0, 1)))
        network.project(now, np.asarray([[x[-1] - control]]), nu)
    return np.asarray(x)


wish = np.where(np.arange(100) < 60, 0.6, 0.5 + 0.3 * np.sin(np.arange(100) / 5))
steered = controlled(Network(**KINDS["normalised, beta 6"]).project(train[:-1], train[1:]), wish)
figure, ax = plt.subplots(figsize=(8, 3), layout="constrained")
ax.plot(wish, "k--", linewidth=1, label="what we want")
ax.plot(steered, label="the series")
ax.axvline(20, color="grey", linewidth=0.8)
ax.set(xlabel="t", ylabel="x(t)")
ax.legend(loc="lower left")
print(f"mean distance to the wish: without control {np.abs(steered - wish)[:20].mean():.2f}, with control "
      f"{np.abs(steered - wish)[30:].mean():.3f}")  # fmt: skip
plt.show()
