"""A convolutional autoencoder cleans pictures
===========================================

Convolutions and pooling make a picture small, convolutions and upsampling make it large again. Trained on pictures with
noise, with the clean ones as targets, the network removes noise that it has never seen.

Source: Shanahan, act 3: "Autoencoder: topics covered here" (a deep convolutional autoencoder, an image denoising
model), and the Keras examples that it links.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.datasets import load_digits

import portanet
from portanet import layers, plot


def digits(train: int = 1500) -> tuple[np.ndarray, np.ndarray]:
    """Digits for training and for testing, 8 x 8 pixels from 0 to 1 and one channel."""
    x = (load_digits().images / 16).astype("float32")[..., None]
    return x[:train], x[train:]


def noisy(x: np.ndarray, deviation: float = 0.4, seed: int = 0) -> np.ndarray:
    """Pictures with normal noise, from 0 to 1."""
    noise = np.random.default_rng(seed).normal(0, deviation, x.shape)
    return np.clip(x + noise, 0, 1).astype("float32")


def build(filters: int = 16) -> portanet.Sequential:
    """8 x 8 pixels to 4 x 4 codes of 8 channels and back."""
    portanet.random.set_seed(0)
    model = portanet.Sequential(
        [
            layers.Input((8, 8, 1)),
            layers.Conv2D(filters, 3, activation="relu", padding="same"),
            layers.MaxPooling2D(2),
            layers.Conv2D(8, 3, activation="relu", padding="same", name="code"),
            layers.UpSampling2D(2),
            layers.Conv2D(filters, 3, activation="relu", padding="same"),
            layers.Conv2D(1, 3, activation="sigmoid", padding="same"),
        ]
    )
    model.compile(portanet.optimizers.Adam(0.005), "binary_crossentropy")
    return model


def train(
    inputs: np.ndarray, targets: np.ndarray, epochs: int = 12
) -> tuple[portanet.Sequential, portanet.callbacks.History]:
    """A trained network and its history."""
    model = build()
    return model, model.fit(inputs, targets, epochs=epochs, batch_size=64, validation_split=0.1, verbose=0)


x, x_test = digits()
copier, first = train(x, x)
cleaner, second = train(noisy(x), x)
spoilt = noisy(x_test, seed=1)
figure, axes = plt.subplots(4, 10, figsize=(8, 3.6), layout="constrained")
rows = {
    "noisy": spoilt,
    "cleaned": cleaner.predict(spoilt, verbose=0),
    "clean": x_test,
    "copied": copier.predict(spoilt, verbose=0),
}
for row, (name, pictures) in zip(axes, rows.items(), strict=True):
    plot.images(pictures[:10], axes=row)
    row[0].set_title(name, loc="left")


# %%
# The second row is near the third: it is what the network makes of the first. The last row comes from the same network,
# trained to copy clean digits. It has room to copy noise too, 4 x 4 x 8 numbers, and does.


def error(pictures: np.ndarray, target: np.ndarray) -> float:
    """The mean squared difference."""
    return float(np.mean((pictures - target) ** 2))


print(f"mean squared difference from the clean digit: with noise {error(spoilt, x_test):.4f}")
print(f"  cleaned {error(rows['cleaned'], x_test):.4f}, copied {error(rows['copied'], x_test):.4f}")
plot.history({"copier": first, "cleaner": second})

# %%
# On MNIST, 28 x 28 pixels, the same network has a code of 14 x 14 x 8. It takes minutes instead of seconds, on a CPU.
plt.show()
