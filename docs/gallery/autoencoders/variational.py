r"""A variational autoencoder: new digits, and paths between digits
===============================================================

The code is not a point but a small cloud, and all clouds together are to look like one normal distribution. So any
point of it can be decoded: the network draws digits that nobody wrote.

Source: Shanahan, act 3: "Autoencoders as data generators", "Variational Autoencoder: generate digits, interpolate
digits".
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import portanet
from portanet import layers, plot
from portanet.autodiff import array_namespace


def digits() -> tuple[np.ndarray, np.ndarray]:
    """1,797 digits of 64 pixels from 0 to 1, and their classes."""
    data = load_digits()
    return (data.data / 16).astype("float32"), data.target


# %%
# The network
# -----------
# The encoder says the mean and the logarithm of the variance of each code. :class:`portanet.layers.Sampling` draws from
# it: mean plus deviation times noise, so both have derivatives. The loss is the cross-entropy of the pixels, and the
# divergence of the code from N(0, 1), :math:`-\frac12 \sum (1 + \log\sigma^2 - \mu^2 - \sigma^2)`. A layer of our own
# adds it.


class Divergence(layers.Layer):
    """Passes means and logarithms of variances, and adds their divergence from N(0, 1) to the loss."""

    def __init__(self, factor: float = 1.0, **options: Any) -> None:
        super().__init__(**options)
        self.factor = factor

    def call(self, mean: Any, log_variance: Any) -> Any:
        xp = array_namespace(mean)
        each = -0.5 * xp.sum(1 + log_variance - mean**2 - xp.exp(log_variance), axis=-1)
        self.add_loss(self.factor * xp.mean(each))
        return mean, log_variance


def build(
    units: int = 64, codes: int = 2, factor: float = 1.0
) -> tuple[portanet.Model, portanet.Model, portanet.Model]:
    """The autoencoder, its encoder (the means), and its decoder."""
    portanet.random.set_seed(0)
    pixels = layers.Input((64,))
    hidden = layers.Dense(units, "relu")(pixels)
    mean, log_variance = Divergence(factor / 64)(layers.Dense(codes)(hidden), layers.Dense(codes)(hidden))
    numbers = layers.Input((codes,))
    out = layers.Dense(64, "sigmoid")(layers.Dense(units, "relu")(numbers))
    decoder = portanet.Model(numbers, out, name="decoder")
    model = portanet.Model(pixels, decoder(layers.Sampling()([mean, log_variance])), name="vae")
    model.compile(portanet.optimizers.Adam(0.005), "binary_crossentropy")
    return model, portanet.Model(pixels, mean), decoder


def train(x: np.ndarray, epochs: int = 40, **sizes: Any) -> tuple[portanet.Model, portanet.Model, portanet.Model, Any]:
    """As `build`, after training, with the history."""
    model, encoder, decoder = build(**sizes)
    return model, encoder, decoder, model.fit(x, x, epochs=epochs, batch_size=64, verbose=0)


x, y = digits()
model, encoder, decoder, history = train(x)


# %%
# Generate
# --------
# Both numbers of the code go over a grid of the normal distribution, 10 steps each way, and are decoded. Neighbours
# look alike, and one digit turns into another without a gap.


def grid(decoder: portanet.Model, steps: int = 10) -> np.ndarray:
    """One large picture of the decoded codes from -2 to 2 in both numbers."""
    ticks = np.linspace(-2, 2, steps, dtype="float32")
    codes = np.stack(np.meshgrid(ticks, ticks), axis=-1).reshape(-1, 2)
    pictures = decoder.predict(codes, verbose=0).reshape(steps, steps, 8, 8)
    return pictures.transpose(0, 2, 1, 3).reshape(8 * steps, 8 * steps)


figure, axes = plt.subplots(1, 2, figsize=(11, 5), layout="constrained")
axes[0].imshow(grid(decoder), cmap="gray_r", extent=(-2, 2, 2, -2))
axes[0].set(title="decoded codes", xlabel="first number", ylabel="second number")
codes = encoder.predict(x, verbose=0)
dots = axes[1].scatter(*codes.T, c=y, s=6, cmap="tab10")
figure.colorbar(dots, label="digit")
axes[1].set(title="means of the codes", xlim=(-4, 4), ylim=(4, -4))

# %%
# Right: where the encoder puts the digits that people wrote; the colours are their classes, which it was never told.
print(f"loss: first epoch {history.history['loss'][0]:.3f}, last {history.history['loss'][-1]:.3f}")
print(f"codes: mean {codes.mean(axis=0).round(2)}, standard deviation {codes.std(axis=0).round(2)}")


# %%
# Interpolate
# -----------
# From one digit to another along a straight line of codes, and, below, along the line of the pixels. Half way, the
# decoder draws one digit; the mean of the pixels is two digits on top of each other.


def between(first: np.ndarray, last: np.ndarray, steps: int = 10) -> np.ndarray:
    """Points on the line from one array to another."""
    return first + np.linspace(0, 1, steps, dtype="float32")[:, None] * (last - first)


one, other = int(np.argmax(y == 0)), int(np.argmax(y == 1))
figure, axes = plt.subplots(2, 10, figsize=(9, 2.2), layout="constrained")
plot.images(decoder.predict(between(codes[one], codes[other]), verbose=0).reshape(-1, 8, 8), axes=axes[0])
plot.images(between(x[one], x[other]).reshape(-1, 8, 8), axes=axes[1])
axes[0, 0].set_title("codes", loc="left")
axes[1, 0].set_title("pixels", loc="left")


# %%
# Noise in prediction
# -------------------
# `Sampling` draws in prediction too, so the network gives another copy of the same digit each time. The encoder of
# the means gives one code.


def copies(model: portanet.Model, picture: np.ndarray, count: int = 10) -> np.ndarray:
    """Several predictions for the same picture."""
    return model.predict(np.repeat(picture[None], count, axis=0), verbose=0)


plot.images(copies(model, x[one]).reshape(-1, 8, 8), columns=10)
print(f"standard deviation of a pixel over ten copies: {copies(model, x[one]).std(axis=0).mean():.3f}")
plt.show()
