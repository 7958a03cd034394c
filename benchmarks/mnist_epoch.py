"""Epochs on MNIST with the network of Ketkar's listing 7-7, in portanet and PyTorch.

`python -m benchmarks.mnist_epoch FOLDER` reads the four files of MNIST in a folder: batches of 128, Adadelta with a
learning rate of 1.0, dropout as in the book, shuffled. `--images N` takes the first N of the 60,000 images, `--keras`
times Keras on JAX, too, `--write` puts the results into the pages.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.pages import beside, environment, report, targets
from benchmarks.timing import RUNS, THREADS, Step, in_runs, serve, steps_of
from portanet.datasets import load_mnist

BATCH = 128
RHO, EPSILON = 0.95, 1e-7
TARGET = 0.95


def data(folder: str, count: int) -> tuple[Any, Any]:
    """Images and classes for training."""
    (x, y), _ = load_mnist(folder)
    return x[:count, ..., None].astype("float32") / 255, y[:count].astype("int64")


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


def like_keras(library: Any, x: Any, y: Any) -> Step:
    """An epoch, for a library with Keras's interface."""
    model = library.Sequential([library.layers.Input((28, 28, 1)), *cnn(library.layers)])
    optimizer = library.optimizers.Adadelta(1.0, rho=RHO, epsilon=EPSILON)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return lambda: model.fit(x, y, batch_size=BATCH, epochs=1, verbose=0)


def portanet_epoch(x: Any, y: Any) -> Step:
    import portanet

    portanet.set_backend("numpy")
    return like_keras(portanet, x, y)


def keras_epoch(x: Any, y: Any) -> Step:
    import keras

    return like_keras(keras, x, y)


def torch_epoch(x: Any, y: Any) -> Step:
    """An epoch in a loop, with sums of the loss and of right answers as `fit` has them."""
    import torch
    from torch import nn

    net = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(4608, 128), nn.ReLU(), nn.Dropout(0.5), nn.Linear(128, 10),
    )  # fmt: skip
    optimizer = torch.optim.Adadelta(net.parameters(), 1.0, rho=RHO, eps=EPSILON)
    images, labels = torch.from_numpy(np.moveaxis(x, -1, 1).copy()), torch.from_numpy(y)

    def epoch() -> None:
        order = torch.randperm(len(labels))
        total = torch.zeros(2)
        for first in range(0, len(labels), BATCH):
            batch = order[first : first + BATCH]
            optimizer.zero_grad()
            logits = net(images[batch])
            loss = nn.functional.cross_entropy(logits, labels[batch])
            loss.backward()
            optimizer.step()
            total += torch.stack([loss.detach() * len(batch), (logits.argmax(1) == labels[batch]).sum()])
        total.tolist()

    return epoch


LIBRARIES: dict[str, Callable[[Any, Any], Step]] = {
    "portanet": portanet_epoch,
    "torch": torch_epoch,
    "keras jax": keras_epoch,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder")
    parser.add_argument("--images", type=int, default=60_000)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--keras", action="store_true", help="time Keras on JAX, too")
    parser.add_argument("--write", action="store_true", help="write the results into the pages")
    parser.add_argument("--serve", choices=LIBRARIES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        return serve(lambda _: LIBRARIES[args.serve](*data(args.folder, args.images)))
    names = [name for name in LIBRARIES if name != "keras jax" or args.keras]
    command = ("benchmarks.mnist_epoch", args.folder, "--images", str(args.images), "--serve")
    processes = {name: functools.partial(steps_of, *command, name, KERAS_BACKEND="jax") for name in names}
    how = f"{environment('numpy', 'torch')}; {args.runs} runs, {THREADS} threads. `python -m benchmarks.mnist_epoch`"
    task = f"epoch of {args.images:,} images"
    times = in_runs(processes, {task: names}, args.runs, rounds=1)[task]
    text = targets([beside(task, times, TARGET, "portanet", "torch")])
    report("mnist_epoch", {"Ketkar's listing 7-7 on MNIST": text}, how, args.write)
    return None


if __name__ == "__main__":
    main()
