"""An autoencoder of sequences
===========================

One LSTM reads a sequence, and its last state is the code. Another LSTM gets the code at each step and writes the
sequence again. Here the sequences are waves of one period, with their own height and phase.

Source: Shanahan, act 3: "Autoencoder: topics covered here" (a sequence-to-sequence autoencoder), and the Keras example
that it links.
"""

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers

STEPS = 20


def waves(count: int = 500, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Waves, shape (count, steps, 1), and their heights and phases."""
    generator = np.random.default_rng(seed)
    height, phase = generator.uniform(0.3, 1.0, count), generator.uniform(0, 2 * np.pi, count)
    time = np.linspace(0, 2 * np.pi, STEPS)
    return (height[:, None] * np.sin(time + phase[:, None]))[..., None].astype("float32"), height, phase


def build(codes: int = 4, units: int = 24) -> tuple[portanet.Model, portanet.Model]:
    """The autoencoder, compiled, and its encoder."""
    portanet.random.set_seed(0)
    sequence = layers.Input((STEPS, 1))
    code = layers.Dense(codes)(layers.LSTM(units)(sequence))
    hidden = layers.LSTM(units, return_sequences=True)(layers.RepeatVector(STEPS)(code))
    model = portanet.Model(sequence, layers.TimeDistributed(layers.Dense(1))(hidden))
    model.compile(portanet.optimizers.Adam(0.01), "mse")
    return model, portanet.Model(sequence, code)


def train(x: np.ndarray, epochs: int = 40) -> tuple[portanet.Model, portanet.Model, portanet.callbacks.History]:
    """The trained autoencoder, its encoder and the history."""
    model, encoder = build()
    return model, encoder, model.fit(x, x, epochs=epochs, batch_size=50, verbose=0)


x, _, _ = waves()
x_test, height, phase = waves(200, seed=1)
model, encoder, history = train(x)
copies, codes = model.predict(x_test, verbose=0), encoder.predict(x_test, verbose=0)
figure, axes = plt.subplots(1, 4, figsize=(11, 2.5), sharey=True, layout="constrained")
for ax, wave, copy in zip(axes, x_test, copies, strict=False):
    ax.plot(wave, "k.", label="wave")
    ax.plot(copy, label="copy from four numbers")
axes[0].legend()

# %%
# The copies follow the waves, though nothing but four numbers passes from one LSTM to the other.
print(f"loss: first epoch {history.history['loss'][0]:.3f}, last {history.history['loss'][-1]:.4f}")
print(f"test: mean squared error {np.mean((copies - x_test) ** 2):.4f}, of waves with variance {x_test.var():.3f}")

# %%
# What the code says
# ------------------
# Waves have two hidden numbers, height and phase. In the first two principal components of the codes, the phase is the
# angle and the height the distance from the middle: the network has found a circle.
centred = codes - codes.mean(axis=0)
plane = centred @ np.linalg.svd(centred, full_matrices=False)[2][:2].T
figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
for ax, name, values, colours in ((axes[0], "phase", phase, "hsv"), (axes[1], "height", height, "viridis")):
    figure.colorbar(ax.scatter(*plane.T, c=values, s=10, cmap=colours), label=name)
    ax.set(title=f"codes, by {name}")
plt.show()
