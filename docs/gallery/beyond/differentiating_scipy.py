"""Differentiating SciPy
======================

SciPy's functions that follow the array API standard take the arrays of `portanet.autodiff`, and are differentiated
without a change. Here SciPy's special functions, statistics and a filter are inside a loss.

Beyond the documents. `SCIPY_ARRAY_API=1` has to be set before SciPy is imported. Of 863 functions of SciPy and others,
a table says which are differentiated: "Functions of other libraries", among the pages of evidence.
"""

import os

os.environ["SCIPY_ARRAY_API"] = "1"  # before the first import of SciPy

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import scipy.signal
import scipy.special
import scipy.stats

import portanet
from portanet import optimizers
from portanet.autodiff import array_namespace, grad, lift, value_and_grad

# %%
# Curves and their slopes
# -----------------------
# The slope of a special function, by `grad`. The dots are differences of SciPy's own values.


def slope(function: Any, x: np.ndarray) -> np.ndarray:
    """The derivative of an elementwise function of SciPy at each number."""
    return portanet.to_host(grad(lambda x: array_namespace(x).sum(function(x)))(x))


def differences(function: Any, x: np.ndarray, step: float = 1e-6) -> np.ndarray:
    """The same by central differences."""
    return (function(x + step) - function(x - step)) / (2 * step)


FUNCTIONS = {"gammaln": scipy.special.gammaln, "j0": scipy.special.j0, "erfcx": scipy.special.erfcx}
x = np.linspace(0.3, 8, 200)
figure, axes = plt.subplots(1, 3, figsize=(9, 2.8), layout="constrained")
for ax, (name, function) in zip(axes, FUNCTIONS.items(), strict=True):
    ax.plot(x, function(x), label=name)
    ax.plot(x, slope(function, x), "--", label="slope")
    ax.plot(x[::20], differences(function, x[::20]), "k.", label="differences")
    ax.legend(fontsize="small")
    distance = np.abs(slope(function, x) - differences(function, x)).max()
    print(f"{name:8} largest distance to the differences: {distance:.1e}")

# %%
# A loss made of SciPy's functions
# --------------------------------
# Weights that turn noise into a signal whose skewness and kurtosis are those that we want. Adam descends along the
# gradient through `scipy.stats`.


def shaped(values: Any) -> Any:
    """The distance of skewness and kurtosis to 1 and 2."""
    return (scipy.stats.skew(values) - 1.0) ** 2 + (scipy.stats.kurtosis(values) - 2.0) ** 2


def shape_noise(count: int = 300, steps: int = 300) -> tuple[np.ndarray, np.ndarray, list[float]]:
    """Noise, what becomes of it, and the loss at each step."""
    noise = np.random.default_rng(0).standard_normal(count)
    path = optimizers.Adam(0.02)
    values, losses = portanet.asarray(noise.copy(), "float64"), []
    state = path.init({"x": values})
    for _ in range(steps):
        loss, slopes = value_and_grad(shaped)(values)
        losses.append(float(loss))
        updated, state = path.update({"x": values}, {"x": slopes}, state)
        values = updated["x"]
    return noise, portanet.to_host(values), losses


noise, values, losses = shape_noise()
figure, axes = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
axes[0].semilogy(losses)
axes[0].set(xlabel="step", ylabel="loss")
axes[1].hist([noise, values], bins=30, label=["before", "after"])
axes[1].legend()
print(f"skewness {scipy.stats.skew(values):.4f}, kurtosis {scipy.stats.kurtosis(values):.4f}")

# %%
# A filter that is fitted
# -----------------------
# A signal went through an unknown filter. `scipy.signal.fftconvolve` is part of the model, the filter is what is
# trained.


def fit_filter(taps: int = 15, steps: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """The filter of the signal, and the one that was found."""
    truth = scipy.signal.windows.hann(taps)
    truth = truth / truth.sum()
    signal = np.random.default_rng(0).standard_normal(400)
    target = scipy.signal.fftconvolve(signal, truth, mode="valid")

    def loss(kernel: Any) -> Any:
        return array_namespace(kernel).mean(
            (scipy.signal.fftconvolve(lift(signal), kernel, mode="valid") - target) ** 2
        )

    kernel = np.zeros(taps)
    for _ in range(steps):
        kernel = kernel - 0.2 * grad(loss)(kernel)
    return truth, kernel


truth, found = fit_filter()
figure, ax = plt.subplots(figsize=(5, 3), layout="constrained")
ax.plot(truth, "o-", label="the filter")
ax.plot(found, "x--", label="found")
ax.legend()
print(f"largest distance: {np.abs(truth - found).max():.1e}")
plt.show()
