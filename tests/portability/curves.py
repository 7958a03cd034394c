"""Four models of handwritten digits and their losses in 50 steps, which must not depend on the backend."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import portanet
from portanet import layers
from portanet.backends import HostArray

STEPS, BATCH = 50, 32


def digits() -> tuple[HostArray, HostArray]:
    """scikit-learn's 8x8 digits, shape (1797, 64), and their classes."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    return (x / 16).astype("float32"), y.astype("int32")


MODELS: dict[str, Callable[[], list[Any]]] = {
    "MLP": lambda: [layers.Dense(64, activation="relu"), layers.Dropout(0.2), layers.Dense(10)],
    "CNN": lambda: [
        layers.Reshape((8, 8, 1)),
        layers.Conv2D(8, 3, use_bias=False),  # a bias would have no gradient but rounding, which Adam makes large
        layers.BatchNormalization(),
        layers.Activation("relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(10),
    ],
    "LSTM": lambda: [layers.Reshape((8, 8)), layers.LSTM(32), layers.Dense(10)],
    "transformer": lambda: [
        layers.Reshape((8, 8)),
        layers.Dense(16),
        layers.TransformerEncoder(32, num_heads=2),
        layers.Flatten(),
        layers.Dense(10),
    ],
}


def model(name: str) -> portanet.Sequential:
    """One of the models on the current backend, ready to train; the same weights each time."""
    portanet.random.set_seed(1)
    made = portanet.Sequential([layers.Input((64,)), *MODELS[name]()])
    made.compile(portanet.optimizers.Adam(0.01), portanet.losses.SparseCategoricalCrossentropy(from_logits=True))
    return made


def curve(name: str) -> HostArray:
    """The loss of each of 50 steps of Adam."""
    x, y = digits()
    made = model(name)
    starts = range(0, STEPS * BATCH, BATCH)
    return np.asarray([made.train_on_batch(x[s : s + BATCH], y[s : s + BATCH]) for s in starts])


def deviation(result: HostArray, expected: Any) -> float:
    """The largest relative difference of two curves."""
    return float(np.max(np.abs(result / expected - 1)))
