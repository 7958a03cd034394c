"""Schedules of the learning rate
===============================

Large steps come far, small steps come close. A schedule begins with large ones and ends with small ones.

Source: the articles, "Neural Nets" (F. Tseng), tempering of the learning rate and eta_0 / (1 + eta_0 lambda t);
Shanahan, 0.1 divided by 10 at 50 % and 75 % of the training.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import portanet
from portanet import layers, schedules

STEPS = 600

# %%
# Their shapes
# ------------
# Any of them is passed as `learning_rate` of an optimizer, and may begin with a warm-up. `callbacks.ReduceLROnPlateau`
# lowers the rate when the loss stops falling, which needs no number of steps in advance.


def shapes(eta: float = 0.4, steps: int = STEPS) -> dict[str, schedules.LearningRateSchedule]:
    """The schedules by name, for this first rate and number of steps."""
    halves = [steps // 2, 3 * steps // 4]
    return {
        "constant": schedules.Constant(eta),
        "/ 10 at 50 % and 75 %": schedules.PiecewiseConstantDecay(halves, [eta, eta / 10, eta / 100]),
        "eta / (1 + eta lambda t)": schedules.InverseTimeDecay(eta, 1, eta * 0.1),
        "exponential": schedules.ExponentialDecay(eta, steps, 0.01),
        "cosine": schedules.CosineDecay(eta, steps),
        "warm-up and cosine": schedules.Warmup(schedules.CosineDecay(eta, steps), steps // 10),
    }


ax = schedules.plot(shapes(), STEPS)
ax.set_ylabel("learning rate")

# %%
# What they bring
# ---------------
# Mini-batches of four make noisy gradients. With a constant rate of 0.4, the weights jump around the minimum until the
# end; with 0.001, they do not get there. The schedules do both. The thin line is each batch's loss, the thick one its
# running mean.


def digits() -> tuple[np.ndarray, np.ndarray]:
    """Scikit-learn's digits, with pixels between 0 and 1."""
    x, y = load_digits(return_X_y=True)
    return (x / 16).astype("float32"), y


def train(rate: schedules.Hyperparameter, steps: int = STEPS, batch: int = 4) -> tuple[np.ndarray, float]:
    """A linear classifier by SGD with momentum: the loss of each batch, and that of all digits at the end."""
    portanet.random.set_seed(0)
    x, y = digits()
    model = portanet.Sequential([layers.Input((64,)), layers.Dense(10)])
    loss = portanet.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(portanet.optimizers.SGD(rate, momentum=0.9), loss)
    generator, losses = np.random.default_rng(0), []
    for _ in range(steps):
        chosen = generator.integers(0, len(x), batch)
        losses.append(float(model.train_on_batch(x[chosen], y[chosen])))
    return np.asarray(losses), float(model.evaluate(x, y, batch_size=600, verbose=0))


def compare(steps: int = STEPS) -> dict[str, tuple[np.ndarray, float]]:
    """Every schedule, and a constant that is small from the start."""
    rates = {**shapes(steps=steps), "constant, small": 0.001}
    return {name: train(rate, steps) for name, rate in rates.items()}


runs = compare()
figure, axes = plt.subplots(2, 4, figsize=(11, 5), layout="constrained", sharex=True, sharey=True)
for ax, (name, (losses, final)) in zip(axes.flat, runs.items(), strict=False):
    ax.semilogy(losses + 1e-4, linewidth=0.3)
    ax.semilogy(np.convolve(losses, np.ones(50) / 50, "valid"), linewidth=2)
    ax.set_title(f"{name}\nall digits: {final:.3f}", fontsize="small")
    ax.set_ylim(1e-3, 10)
    print(f"{name:25} cross-entropy of all digits {final:.3f}")
axes[-1, -1].set_visible(False)
plt.show()
