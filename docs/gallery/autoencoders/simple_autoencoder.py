"""A simple autoencoder: 100-50-10-50-100
======================================

Two clouds of points with 100 coordinates pass through 10 numbers and come back. The network is then taken apart: its
first half encodes, its last two layers decode.

Source: Shanahan, act 3: "Notebook for a simple autoencoder", with its summary, its loss curves, "Encoder and decoder in
terms of layer variables" and "Decoder: neat one liner".
"""

from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import make_blobs
from sklearn.model_selection import train_test_split

import portanet
from portanet import layers


def data(examples: int = 2000) -> Any:
    """The document's blobs: 100 coordinates, 2 centres, 80% for training."""
    x, y = make_blobs(n_samples=examples, n_features=100, centers=2, random_state=42)
    return train_test_split(x.astype("float32"), y, random_state=42, test_size=0.2)


def autoencoder() -> tuple[portanet.Model, Any, Any]:
    """The compiled network, and its input and its code."""
    portanet.random.set_seed(0)
    inputs = layers.Input((100,))
    encoded = layers.Dense(50, "relu")(inputs)
    code = layers.Dense(10, "relu")(encoded)
    decoded = layers.Dense(50, "relu")(code)
    model = portanet.Model(inputs, layers.Dense(100, "linear")(decoded), name="autoencoder")
    model.compile(loss="mse", optimizer="adam")
    return model, inputs, code


def halves(model: portanet.Model, inputs: Any, code: Any) -> tuple[portanet.Model, portanet.Model]:
    """The encoder, and the decoder of the last two layers; both share their weights with the network."""
    encoder = portanet.Model(inputs, code, name="encoder")
    encoded = layers.Input((10,))
    decoder = portanet.Model(encoded, model.layers[-1](model.layers[-2](encoded)), name="decoder")
    return encoder, decoder


x_train, x_test, y_train, y_test = data()
model, inputs, code = autoencoder()
history = model.fit(x_train, x_train, epochs=150, validation_data=(x_test, x_test), verbose=0)
figure, ax = plt.subplots(figsize=(7, 4))
ax.plot(np.arange(2, 150), history.history["loss"][2:], label="Train")
ax.plot(np.arange(2, 150), history.history["val_loss"][2:], label="Test")
ax.set(xlabel="Epoch", ylabel="MSE", title="Loss evolution")
ax.legend()

# %%
# Both losses fall together: the code holds what new points need too. A point is its centre plus noise of variance 1 in
# each of 100 coordinates. Ten numbers cannot hold 100 independent ones, so the loss stays a little below 1. Noise is
# what cannot be compressed.
print(f"after 150 epochs: train {history.history['loss'][-1]:.3f}, test {history.history['val_loss'][-1]:.3f}")

# %%
# The parameters are those of the document: 5050, 510, 550 and 5100, together 11,210.
model.summary()

# %%
# Encoder and decoder
# -------------------
# A model of the same input and of an inner layer is the encoder. A new input of 10 numbers through the last two layers
# is the decoder. Both together do what the network does.
encoder, decoder = halves(model, inputs, code)
encoded = encoder.predict(x_test, verbose=0)
decoded = decoder.predict(encoded, verbose=0)
print("codes", encoded.shape, "decoded", decoded.shape)
print("largest difference from the whole network:", np.abs(decoded - model.predict(x_test, verbose=0)).max())

# %%
# What is in the code? A unit that differs between the clouds, and many that do not. Each dot is a test point; the
# colour is its cloud, which the network never saw.
spread = encoded[y_test == 0].mean(axis=0) - encoded[y_test == 1].mean(axis=0)
one, other = np.argsort(-np.abs(spread))[:2]
figure, ax = plt.subplots(figsize=(5, 4))
ax.scatter(encoded[:, one], encoded[:, other], c=y_test, s=8, cmap="coolwarm")
ax.set(xlabel=f"unit {one} of the code", ylabel=f"unit {other}")
plt.show()
