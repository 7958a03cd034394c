"""A recurrent network as a timer
==============================

One input says "start now", the other for how long. The output must be 0.5 from then on for that time, and 0 otherwise.
The network has to keep both in its state.

Source: NumpyDL documentation, 2.7.2 (figures 2.24 and 2.25), after H. Jaeger.
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers

# %%
# The task
# --------
# The document's output lasts 1000 times the second input, which is from 0.1 to 1. Here the longest time is `longest`
# steps: 20 by default, so that the page takes seconds. A larger one is the same task with a longer memory. The
# durations 0.4 and 0.7 are kept for the test: the network never sees them in training.


TRAINED = (1, 2, 3, 5, 6, 8, 9, 10)  # tenths of the longest time
UNSEEN = (4, 7)


def sequences(
    count: int, longest: int = 20, seed: int = 0, durations: tuple[int, ...] = TRAINED
) -> tuple[np.ndarray, np.ndarray]:
    """Inputs (count, steps, 2): a spike, and the duration at its step; outputs (count, steps, 1): 0 or 0.5."""
    generator = np.random.default_rng(seed)
    steps = 2 * longest
    starts = generator.integers(0, longest // 2, count)
    tenths = generator.choice(durations, count)
    time = np.arange(steps)
    spike = time == starts[:, None]
    on = (time >= starts[:, None]) & (time < starts[:, None] + longest * tenths[:, None] / 10)
    x = np.stack([spike, spike * tenths[:, None] / 10], axis=-1)
    return x.astype("float32"), 0.5 * on[..., None].astype("float32")


# %%
# The network
# -----------
# A GRU, whose gates keep what it has to remember, and one output for each step. It learns from random sequences.


def timer(
    examples: int = 1000, epochs: int = 30, units: int = 16, longest: int = 20, seed: int = 0
) -> tuple[Any, list[float]]:
    """The trained network, and the loss of each epoch."""
    portanet.random.set_seed(seed)
    x, y = sequences(examples, longest, seed)
    model = portanet.Sequential([layers.Input(x.shape[1:]), layers.GRU(units, return_sequences=True), layers.Dense(1)])
    model.compile(portanet.optimizers.Adam(0.02, clipnorm=1.0), "mse")
    history = model.fit(x, y, batch_size=50, epochs=epochs, verbose=0)
    return model, history.history["loss"]


def right_steps(model: Any, durations: tuple[int, ...] = UNSEEN, longest: int = 20, count: int = 500) -> float:
    """The fraction of steps at which the output is nearer to its target than to the other value."""
    x, y = sequences(count, longest, 1000, durations)
    return float(np.mean((model.predict(x) > 0.25) == (y > 0.25)))


model, losses = timer()
x, y = sequences(4, seed=7, durations=UNSEEN)
figure, axes = plt.subplots(2, 2, figsize=(10, 4.5), sharex=True, sharey=True, layout="constrained")
for ax, inputs, target, output in zip(axes.flat, x, y, model.predict(x), strict=True):
    ax.step(range(len(target)), target[:, 0], where="mid", label="target")
    ax.plot(output[:, 0], label="output")
    ax.axvline(inputs[:, 0].argmax(), color="k", linewidth=0.8, linestyle=":", label="start")
    ax.set(title=f"for {inputs[:, 1].max():.1f} of the longest time", xlabel="step")
axes[0, 0].legend()

# %%
# The output (orange) follows the target (blue), as in figure 2.25: not perfectly, but on and off come at the right step
# or next to it, though these durations are new.
print(f"loss {losses[0]:.4f} to {losses[-1]:.4f}")
for name, durations in (("trained", TRAINED), ("new", UNSEEN)):
    print(f"{name:8} durations: right at {right_steps(model, durations):.1%} of the steps")
figure, ax = plt.subplots(figsize=(6, 3))
ax.semilogy(losses)
ax.set(xlabel="epoch", ylabel="mean square")
plt.show()
