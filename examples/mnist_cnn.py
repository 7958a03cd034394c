"""The convolutional network for MNIST of Ketkar's listing 7-7: 600,810 parameters, one epoch.

Usage: python examples/mnist_cnn.py FOLDER [backend [device]]

The folder holds the four files of http://yann.lecun.com/exdb/mnist/, compressed or not. The book reports a test
accuracy of 0.9712.
"""

from __future__ import annotations

import sys
import time

import portanet
from portanet import layers
from portanet.datasets import load_mnist


def network() -> portanet.Sequential:
    """Two convolutional layers, a pooling layer and two dense layers."""
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


def main() -> None:
    """Train for one epoch, and print the time and the accuracy on the test images."""
    folder, *backend = sys.argv[1:]
    portanet.set_backend(*(backend or ["auto"]))
    portanet.random.set_seed(0)
    (x, y), (test_x, test_y) = load_mnist(folder)
    x, test_x = (images[..., None].astype("float32") / 255 for images in (x, test_x))
    model = network()
    model.compile(portanet.optimizers.Adadelta(1.0), "sparse_categorical_crossentropy", metrics=["accuracy"])
    start = time.perf_counter()
    model.fit(x, y, batch_size=128, epochs=1)
    seconds = time.perf_counter() - start
    loss, accuracy = model.evaluate(test_x, test_y, batch_size=500, verbose=0)
    print(f"{model.count_params():,} parameters, {len(x):,} images in {seconds:.0f} s")
    print(f"test loss {loss:.4f}, test accuracy {accuracy:.4f}")


if __name__ == "__main__":
    main()
