r"""Gates, from hard to soft
========================

A gate decides, number by number, what is written into a memory and what stays. A gate of zeros and ones cannot be
learned by its gradient. A sigmoid can, and in the end it is nearly as hard.

Source: Shanahan, act 5: "View DL training as a time series", "Exponential Smoothing", "Gated memory: binary gate",
"Gating memory based on memory and current value", the equations of the LSTM.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

from portanet import activations, plot
from portanet.autodiff import array_namespace, grad
from portanet.optimizers import minimize

GATE = np.asarray([0.0, 1.0, 0.0, 0.0, 0.0, 1.0])
X = np.asarray([10.0, 11.0, 12.0, 13.0, 14.0, 15.0])
MEMORY = np.asarray([8.0, 9.0, 3.0, 7.0, 5.0, 8.0])


def gated(gate: Any, x: Any, memory: Any) -> Any:
    """The sum g x + (1 - g) s: what is written where the gate is open, and what stays where it is shut."""
    return gate * x + (1 - gate) * memory


# %%
# Learning which numbers to write
# -------------------------------
# The document's gate is [0, 1, 0, 0, 0, 1]: it writes the second and the last number. Suppose that it is unknown, and
# that the memory becomes [8, 11, 3, 7, 5, 15]. The gate is :math:`\sigma(g')` of numbers that start at 0, where it is
# half open. Gradient descent on the squared error of the memory opens two and shuts four.


def learned(steps: int = 200, rate: float = 0.05) -> np.ndarray:
    """The gate before each step of gradient descent, and after the last; shape (steps + 1, 6)."""
    target = gated(GATE, X, MEMORY)

    def error(g: Any) -> Any:
        xp = array_namespace(g)
        return xp.sum((gated(activations.sigmoid(g), X, MEMORY) - target) ** 2)

    path = [np.zeros(6)]
    minimize(error, path[0], "gradient-descent", max_iterations=steps, learning_rate=rate, callback=path.append)
    return np.asarray(activations.sigmoid(np.asarray(path)))


gates = learned()
figure, ax = plt.subplots(figsize=(7, 4))
for number, values in enumerate(gates.T):
    ax.plot(values, label=f"number {number + 1}: {MEMORY[number]:g} or {X[number]:g}")
ax.set(xlabel="step of gradient descent", ylabel="gate", ylim=(-0.05, 1.05))
ax.legend()
print("hard gate, as in the document:", gated(GATE, X, MEMORY))
print("learned gate:", gates[-1].round(3))
print("memory:      ", gated(gates[-1], X, MEMORY).round(2))

# %%
# All gates begin at one half. Those whose two choices lie far apart move first, for their error is large.
#
# Why not a hard gate
# -------------------
# :math:`\sigma(k g')` gets harder with :math:`k`. Below is its slope. A hard gate has the slope 0 everywhere but at one
# point, so gradient descent gets no hint which way to go.


def sharp(factor: float) -> Any:
    """A sigmoid whose argument is multiplied."""
    return lambda x: activations.sigmoid(factor * x)


functions = {f"sigmoid, k = {factor}": sharp(factor) for factor in (1, 3, 10)}
plot.curves(functions | {"step": activations.step}, xlim=(-3, 3), columns=4)
for factor in (1, 3, 10, 100):
    print(f"k = {factor:3}: slope at g' = 1 is {float(grad(sharp(factor))(np.asarray(1.0))):.1e}")

# %%
# A gate over time: exponential smoothing
# ---------------------------------------
# With one fixed gate :math:`\alpha` for all steps, the memory is a forecast:
# :math:`F_{t+1} = \alpha A_t + (1 - \alpha) F_t`. The naive forecast is :math:`\alpha = 1`. The LSTM's memory,
# :math:`c_j = f \odot c_{j-1} + i \odot z`, has two gates in place of :math:`\alpha` and :math:`1 - \alpha`, and
# computes them anew in each step.


def series(steps: int = 80, seed: int = 0) -> np.ndarray:
    """A level that jumps half way, with noise."""
    level = np.where(np.arange(steps) < steps // 2, 1.0, 3.0)
    return level + np.random.default_rng(seed).normal(0, 0.4, steps)


def smoothed(actual: np.ndarray, alpha: float) -> np.ndarray:
    """The forecast for each step, from the steps before it."""
    forecast = [float(actual[0])]
    for value in actual[:-1]:
        forecast.append(float(gated(alpha, value, forecast[-1])))
    return np.asarray(forecast)


def moving_average(actual: np.ndarray, window: int = 4) -> np.ndarray:
    """The mean of the last few steps before each step."""
    return np.asarray([actual[max(0, t - window) : max(t, 1)].mean() for t in range(len(actual))])


def simple_mean(actual: np.ndarray) -> np.ndarray:
    """The mean of all steps before each step."""
    return np.asarray([actual[: max(t, 1)].mean() for t in range(len(actual))])


actual = series()
forecasts = {
    "naive": smoothed(actual, 1.0),
    "simple mean": simple_mean(actual),
    "moving average of 4": moving_average(actual),
    "smoothing, 0.2": smoothed(actual, 0.2),
    "smoothing, 0.5": smoothed(actual, 0.5),
}
figure, ax = plt.subplots(figsize=(8, 4))
ax.plot(actual, "k.", label="actual")
for name, forecast in forecasts.items():
    ax.plot(forecast, label=name)
ax.set(xlabel="time")
ax.legend(ncols=2)

# %%
# The mean of everything never recovers from the jump. The naive forecast follows at once, and repeats all noise. Gates
# between 0 and 1 are between the two.
for name, forecast in forecasts.items():
    print(f"{name:20} root mean square error {np.sqrt(np.mean((forecast - actual) ** 2)):.3f}")
plt.show()
