"""The book's convolutional network on MNIST
============================================

Two convolutions, pooling, dropout and two dense layers: 600,810 parameters. The book trains it for one epoch, which
takes minutes; this page shows 6,000 of the 60,000 images.

Source: Ketkar, listing 7-7 (figure 7-5).
"""

import os
from typing import Any

import matplotlib.pyplot as plt
import numpy as np

import portanet
from portanet import layers, plot
from portanet.datasets import load_mnist

MNIST = os.environ.get("MNIST", "mnist")  # the folder with the four IDX files

# %%
# The network
# -----------


def network() -> Any:
    """The layers of the listing, for images of shape (28, 28, 1)."""
    return portanet.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )


plot.model(network())

# %%
# Training
# --------
# The book's Adadelta has the rate 1, that of the paper and of Keras 1. `images` is 60,000 in the book: test accuracy
# 0.9712, loss 0.0929. The whole epoch gives 0.9808 and 0.0605 here, in 47 s.


def train(images: int = 6000, tested: int = 1000, folder: str = MNIST, seed: int = 0) -> tuple[Any, Any, float, float]:
    """The model after an epoch on the first images, its history, and its loss and accuracy on the first of the test."""
    portanet.random.set_seed(seed)
    (x, y), (test_x, test_y) = load_mnist(folder)
    x, test_x = (part[..., None].astype("float32") / 255 for part in (x[:images], test_x[:tested]))
    model = network()
    model.compile(portanet.optimizers.Adadelta(1.0), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y[:images], batch_size=128, epochs=1, verbose=0)
    loss, accuracy = model.evaluate(test_x, test_y[:tested], batch_size=500, verbose=0)
    return model, history, loss, accuracy


model, history, loss, accuracy = train()
print(f"{model.count_params():,} parameters, test loss {loss:.4f}, test accuracy {accuracy:.4f}")

# %%
# What it gets wrong
# ------------------
# Rows are the digits, columns the answers.


def answers(model: Any, tested: int = 1000, folder: str = MNIST) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The first images of the test, their digits, and the model's answers."""
    _, (x, y) = load_mnist(folder)
    images = x[:tested]
    return images, y[:tested], model.predict(images[..., None].astype("float32") / 255).argmax(axis=1)


images, digits, guesses = answers(model)
plot.confusion_matrix(digits, guesses)
wrong = np.nonzero(digits != guesses)[0][:12]
titles = [f"{digits[i]}, not {guesses[i]}" for i in wrong]
plot.images(images[wrong], titles, columns=6)
plt.show()
