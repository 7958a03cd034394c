"""A stacked autoencoder: all at once, one layer at a time, with a cache
=====================================================================

The same network of 64-40-12-40-64 units, trained in three ways. Layer by layer is how deep networks were trained before
2010: each layer learns to reproduce what the one below it says.

Source: Shanahan, act 3: "Stacked Autoencoders: train all layers at once, training one autoencoder at a time, cache the
frozen layer outputs, tying weights", and "Train hidden layer 1, 2, 3, fine tune".
"""

import time

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import portanet
from portanet import layers, plot


def digits() -> tuple[np.ndarray, np.ndarray]:
    """1,500 digits for training and 297 for testing, 64 pixels from 0 to 1."""
    x = (load_digits().data / 16).astype("float32")
    return x[:1500], x[1500:]


def stack(outer: int = 40, inner: int = 12) -> portanet.Sequential:
    """The whole network, compiled: two layers of the encoder, two of the decoder."""
    portanet.random.set_seed(0)
    model = portanet.Sequential(
        [
            layers.Input((64,)),
            layers.Dense(outer, "elu", name="encoder_1"),
            layers.Dense(inner, "elu", name="encoder_2"),
            layers.Dense(outer, "elu", name="decoder_2"),
            layers.Dense(64, name="decoder_1"),
        ]
    )
    model.compile(portanet.optimizers.Adam(0.005), "mse")
    return model


def fit(
    model: portanet.Model, x: np.ndarray, epochs: int, validation: np.ndarray | None = None
) -> portanet.callbacks.History:
    """Train a model to copy its input."""
    known = None if validation is None else (validation, validation)
    return model.fit(x, x, epochs=epochs, batch_size=64, validation_data=known, verbose=0)


# %%
# Three ways
# ----------
# - **together**: every step changes all four layers.
# - **one at a time**: first the outer pair alone, as an autoencoder of 64-40-64. Then it is frozen, and the inner pair
#   learns inside of it.
# - **cached**: the same, but the outputs of the frozen layer are computed once. The inner pair learns to copy those;
#   no step passes through frozen layers.


def together(x: np.ndarray, epochs: int = 30) -> portanet.Sequential:
    """All layers at once."""
    model = stack()
    fit(model, x, epochs)
    return model


def outer_pair(model: portanet.Sequential, x: np.ndarray, epochs: int) -> None:
    """Train the outer layers of a network alone."""
    outer = portanet.Sequential([layers.Input((64,)), model.layers[0], model.layers[3]])
    outer.compile(portanet.optimizers.Adam(0.005), "mse")
    fit(outer, x, epochs)


def one_at_a_time(x: np.ndarray, epochs: int = 15) -> portanet.Sequential:
    """The outer pair; then the inner pair, between frozen layers."""
    model = stack()
    outer_pair(model, x, epochs)
    model.layers[0].trainable = model.layers[3].trainable = False
    model.compile(portanet.optimizers.Adam(0.005), "mse")
    fit(model, x, epochs)
    return model


def cached(x: np.ndarray, epochs: int = 15) -> portanet.Sequential:
    """The outer pair; then the inner pair alone, on what the frozen layer says."""
    model = stack()
    outer_pair(model, x, epochs)
    hidden = portanet.Sequential([layers.Input((64,)), model.layers[0]]).predict(x, verbose=0)
    inner = portanet.Sequential([layers.Input((hidden.shape[1],)), model.layers[1], model.layers[2]])
    inner.compile(portanet.optimizers.Adam(0.005), "mse")
    fit(inner, hidden, epochs)
    return model


x, x_test = digits()
models, seconds = {}, {}
for way in (together, one_at_a_time, cached):
    start = time.perf_counter()
    models[way.__name__] = way(x)
    seconds[way.__name__] = time.perf_counter() - start
figure, axes = plt.subplots(4, 10, figsize=(8, 3.6), layout="constrained")
pictures = [("digits", x_test)] + [(name, model.predict(x_test, verbose=0)) for name, model in models.items()]
for row, (name, shown) in zip(axes, pictures, strict=True):
    plot.images(np.clip(shown[:10], 0, 1).reshape(-1, 8, 8), axes=row)
    row[0].set_title(name.replace("_", " "), loc="left")

# %%
# From 12 numbers, all three draw digits that can be read. Training together is the best here: with good initial weights
# and ELU, gradients reach every layer. In 2006, with sigmoids, they did not.


def error(model: portanet.Model, x: np.ndarray) -> float:
    """The mean squared error of copies."""
    return float(model.evaluate(x, x, verbose=0))


for name, model in models.items():
    print(f"{name:15} test error {error(model, x_test):.4f}   {seconds[name]:.1f} s")

# %%
# Fine tuning
# -----------
# Layer by layer is a start. Training goes on with all layers free, and ends where the other ends, or below.


def fine_tuned(model: portanet.Sequential, x: np.ndarray, epochs: int = 15) -> portanet.Sequential:
    """The network after further training of all layers."""
    for layer in model.layers:
        layer.trainable = True
    model.compile(portanet.optimizers.Adam(0.002), "mse")
    fit(model, x, epochs)
    return model


print(f"one at a time, then fine tuned: test error {error(fine_tuned(models['one_at_a_time'], x), x_test):.4f}")

# %%
# Tied weights
# ------------
# A decoder may use the encoder's matrices, transposed: half of the weights, and a gradient that is the sum of those of
# both uses.


def tied(outer: int = 40, inner: int = 12) -> portanet.Model:
    """The network whose decoder has biases of its own alone."""
    portanet.random.set_seed(0)
    first, second = layers.Dense(outer, "elu"), layers.Dense(inner, "elu")
    pixels = layers.Input((64,))
    code = second(first(pixels))
    model = portanet.Model(pixels, layers.TiedDense(first)(layers.TiedDense(second, "elu")(code)))
    model.compile(portanet.optimizers.Adam(0.005), "mse")
    return model


model = tied()
fit(model, x, 30)
saved = f"{model.count_params():,} weights instead of {stack().count_params():,}"
print(f"tied: {saved}, test error {error(model, x_test):.4f}")
plt.show()
