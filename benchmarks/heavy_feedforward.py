"""Feed-forward models of `benchmarks.heavy`, in each library."""

from __future__ import annotations

from typing import Any


def mlp_layers(layers: Any) -> list[Any]:
    return [layers.Dense(512, activation="relu"), layers.Dense(512, activation="relu"), layers.Dense(10)]


def mlp_torch(nn: Any) -> Any:
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))


def cnn_layers(layers: Any) -> list[Any]:
    """The CNN of Ketkar's listing 7-7, without dropout."""
    return [
        layers.Conv2D(32, 3, activation="relu"),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(128, "relu"),
        layers.Dense(10),
    ]


def cnn_torch(nn: Any) -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(4608, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip


CNN = (128, 28, 28, 1)


def convolution_layers(layers: Any) -> list[Any]:
    return [layers.Conv2D(64, 3, padding="same")]


def convolution_torch(nn: Any) -> Any:
    return nn.Conv2d(64, 64, 3, padding=1)
