r"""Why a weight has the variance 1/n: Xavier and He
================================================

A layer multiplies the variance of its input by :math:`n\,\mathrm{Var}(W)`, where :math:`n` is the number of inputs.
This page measures that, and shows what it does to a signal in 30 layers.

Source: NumpyDL documentation, 2.2.2 (Xavier initialization) and its derivation.
"""

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers
from portanet.autodiff import vjp
from portanet.initializers import GlorotNormal, HeNormal, LecunNormal, RandomNormal

# %%
# One linear layer
# ----------------
# The document writes :math:`Y = W_1 X_1 + \dots + W_n X_n`. If inputs and weights are independent and have mean 0,
# the variances multiply, and :math:`\mathrm{Var}(Y) = n\,\mathrm{Var}(W)\,\mathrm{Var}(X)`. On the way back, a gradient
# is a sum over the :math:`m` outputs, so its variance is multiplied by :math:`m\,\mathrm{Var}(W)`.
#
# `gains` measures both: how much larger the variance is behind the layer than before it.


def gains(initializer: object, inputs: int, outputs: int, examples: int = 500) -> tuple[float, float]:
    """The gain in variance from inputs to outputs, and of gradients from outputs to inputs."""
    generator = np.random.default_rng(0)
    x, slopes = generator.normal(size=(examples, inputs)), generator.normal(size=(examples, outputs))
    layer = layers.Dense(outputs, use_bias=False, kernel_initializer=initializer)
    y, pull_back = vjp(layer, portanet.asarray(x))
    (back,) = pull_back(portanet.asarray(slopes))
    return float(np.var(portanet.to_host(y)) / np.var(x)), float(np.var(portanet.to_host(back)) / np.var(slopes))


def measured(
    sizes: tuple[int, ...] = (50, 100, 200, 400), variances: tuple[float, ...] = (0.002, 0.005, 0.01)
) -> np.ndarray:
    """Rows of n Var(W), gain forward, m Var(W), gain backward, for layers of all these sizes and variances."""
    rows = []
    for n in sizes:
        for m in sizes:
            for variance in variances:
                forward, backward = gains(RandomNormal(stddev=variance**0.5), n, m)
                rows.append((n * variance, forward, m * variance, backward))
    return np.asarray(rows)


portanet.random.set_seed(0)
rows = measured()
figure, ax = plt.subplots(figsize=(6, 4))
ax.loglog(rows[:, 0], rows[:, 1], "o", label="forward, n Var(W)")
ax.loglog(rows[:, 2], rows[:, 3], "+", markersize=9, label="backward, m Var(W)")
ax.loglog([0.1, 4], [0.1, 4], "k-", linewidth=1, label="the formula")
ax.set(xlabel="number of terms in the sum, times Var(W)", ylabel="measured gain in variance")
ax.legend()

# %%
# All points lie on the line. So a layer keeps the variance if :math:`\mathrm{Var}(W) = 1/n`: this is Xavier
# initialization. The gradient would need :math:`1/m`; Glorot and Bengio take the mean of both conditions,
# :math:`2/(n+m)`. In portanet these are `LecunNormal` and `GlorotNormal`. `HeNormal` is :math:`2/n`.


def compare(inputs: int = 400, outputs: int = 100) -> dict[str, tuple[float, float]]:
    """The gains of the initializers with names, forward and backward."""
    named = {"LecunNormal": LecunNormal(), "GlorotNormal": GlorotNormal(), "HeNormal": HeNormal()}
    return {name: gains(initializer, inputs, outputs) for name, initializer in named.items()}


print("400 inputs, 100 outputs           forward  backward")
for name, (forward, backward) in compare().items():
    print(f"{name:32} {forward:8.2f}  {backward:8.2f}")
print(f"{'the formulas':32}  1, 1.6, 2  0.25, 0.4, 0.5")

# %%
# Many layers
# -----------
# Gains multiply from layer to layer. With 30 linear layers, a gain of 1/2 leaves :math:`2^{-30}` of the variance, and a
# gain of 2 gives :math:`2^{30}`. `signal` returns the root mean square after each layer.
#
# ReLU sets half of the values to zero, and with them half of the mean square. He et al. therefore double the variance:
# :math:`2/n`.


def signal(scale: float, activation: str | None, depth: int = 30, units: int = 256, examples: int = 100) -> list[float]:
    """The root mean square of the input and after each layer, for weights of variance scale / n."""
    x = portanet.asarray(np.random.default_rng(0).normal(size=(examples, units)))
    sizes = [float(np.sqrt(np.mean(portanet.to_host(x) ** 2)))]
    for _ in range(depth):
        initializer = RandomNormal(stddev=(scale / units) ** 0.5)
        x = layers.Dense(units, activation, kernel_initializer=initializer)(x)
        sizes.append(float(np.sqrt(np.mean(portanet.to_host(x) ** 2))))
    return sizes


figure, axes = plt.subplots(1, 3, figsize=(11, 3.5), sharey=True, layout="constrained")
for ax, activation in zip(axes, (None, "tanh", "relu"), strict=True):
    for scale in (0.5, 1.0, 2.0):
        ax.semilogy(signal(scale, activation), label=f"Var(W) = {scale:g} / n")
    ax.set(title=activation or "linear", xlabel="layer", ylim=(1e-10, 1e6))
axes[0].set_ylabel("root mean square")
axes[0].legend()

# %%
# Linear layers keep the signal with :math:`1/n`, the orange line. ReLU needs :math:`2/n`, the green one: with Xavier's
# variance it loses half of the mean square in every layer. Tanh bounds what would grow.
for scale, activation in ((1.0, None), (1.0, "relu"), (2.0, "relu")):
    print(f"{activation or 'linear':6} Var(W) = {scale:g} / n: {signal(scale, activation)[-1]:.1e} after 30 layers")

plt.show()
