"""One epoch on MNIST with the network of Ketkar's listing 7-7, in portanet, PyTorch and Keras.

`python -m benchmarks.mnist_epoch FOLDER` reads the four files of MNIST in a folder; each library trains in a separate
process on all cores: 60,000 images, batch size 128, Adadelta with a learning rate of 1.0, dropout as in the book.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import Any

import numpy as np

from benchmarks.timing import machine
from portanet.datasets import load_mnist

BATCH = 128
RHO, EPSILON = 0.95, 1e-7


def cnn(layers: Any) -> list[Any]:
    """The layers, with the names common to portanet and Keras."""
    return [
        layers.Conv2D(32, 3, activation="relu"),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(2),
        layers.Dropout(0.25),
        layers.Flatten(),
        layers.Dense(128, activation="relu"),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ]


def like_keras(library: Any, x: Any, y: Any, test: tuple[Any, Any]) -> tuple[float, float, int]:
    """Seconds of the epoch, test accuracy and number of parameters, for a library with Keras's interface."""
    model = library.Sequential([library.layers.Input((28, 28, 1)), *cnn(library.layers)])
    optimizer = library.optimizers.Adadelta(1.0, rho=RHO, epsilon=EPSILON)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    start = time.perf_counter()
    model.fit(x, y, batch_size=BATCH, epochs=1, verbose=0)
    duration = time.perf_counter() - start
    return duration, model.evaluate(*test, batch_size=500, verbose=0)[1], model.count_params()


def with_portanet(*data: Any) -> tuple[float, float, int]:
    import portanet

    portanet.set_backend("numpy")
    portanet.random.set_seed(0)
    return like_keras(portanet, *data)


def with_keras(*data: Any) -> tuple[float, float, int]:
    import keras

    keras.utils.set_random_seed(0)
    return like_keras(keras, *data)


def with_torch(x: Any, y: Any, test: tuple[Any, Any]) -> tuple[float, float, int]:
    import torch
    from torch import nn

    torch.manual_seed(0)
    net = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(4608, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adadelta(net.parameters(), 1.0, rho=RHO, eps=EPSILON)
    images, labels = (torch.from_numpy(np.moveaxis(a, -1, 1).copy()) for a in (x, test[0])), torch.from_numpy(y)
    train_images, test_images = images
    start = time.perf_counter()
    order = torch.randperm(len(labels))
    total = torch.zeros(2)
    for first in range(0, len(labels), BATCH):
        batch = order[first : first + BATCH]
        optimizer.zero_grad()
        logits = net(train_images[batch])
        loss = nn.functional.cross_entropy(logits, labels[batch])
        loss.backward()
        optimizer.step()
        total += torch.stack([loss.detach() * len(batch), (logits.argmax(1) == labels[batch]).sum()])
    duration = time.perf_counter() - start
    net.eval()
    with torch.no_grad():
        predicted = torch.cat([net(batch).argmax(1) for batch in test_images.split(500)]).numpy()
    return duration, float(np.mean(predicted == test[1])), sum(p.numel() for p in net.parameters())


LIBRARIES = {"portanet numpy": with_portanet, "torch": with_torch, "keras jax": with_keras}


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    folder, *libraries = sys.argv[1:]
    if libraries:
        (x, y), (test_x, test_y) = load_mnist(folder)
        x, test_x = (images[..., None].astype("float32") / 255 for images in (x, test_x))
        seconds, accuracy, size = LIBRARIES[libraries[0]](x, y.astype("int64"), (test_x, test_y.astype("int64")))
        print(f"{libraries[0]:<16} {seconds:6.1f} s, test accuracy {accuracy:.4f}, {size:,} parameters")
        return
    print(machine("numpy", "torch", "keras", "jax"), flush=True)
    for name in LIBRARIES:
        command = [sys.executable, "-m", "benchmarks.mnist_epoch", folder, name]
        subprocess.run(command, env={**os.environ, "KERAS_BACKEND": "jax"}, check=True)
        print(f"{'':<16} load average {os.getloadavg()[0]:.1f}", flush=True)


if __name__ == "__main__":
    main()
