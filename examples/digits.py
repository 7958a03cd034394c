"""Train on 1,797 real handwritten digits: `python examples/digits.py [backend]`, the same script on every backend."""

import sys

import numpy as np
from sklearn.datasets import load_digits

import portanet
from portanet import layers


def train(backend: str = "auto", device: str | None = None, verbose: int | str = "auto") -> dict:
    portanet.set_backend(backend, device)
    portanet.random.set_seed(7)

    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(7).permutation(len(images))
    x, y = images[order] / 16, labels[order]
    held_out = x[1437:], y[1437:]

    model = portanet.Sequential([layers.Input((64,)), layers.Dense(128, activation="relu")])
    model.add(layers.Dropout(0.3))
    model.add(layers.Dense(10, activation="softmax"))
    adam = portanet.optimizers.Adam(learning_rate=0.003)
    model.compile(adam, "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x[:1437], y[:1437], epochs=30, validation_data=held_out, verbose=verbose)

    probabilities = model.predict(held_out[0])
    return {"history": history.history, "images": held_out[0], "labels": held_out[1], "probabilities": probabilities}


if __name__ == "__main__":
    print(f"held-out accuracy: {train(*sys.argv[1:])['history']['val_accuracy'][-1]:.4f}")
