"""Models of many kinds, saved on one backend and loaded by others in separate processes:
`python -m tests.saving.models FOLDER BACKEND [DEVICE]` loads every model and saves its predictions.
"""

from __future__ import annotations

import pathlib
import sys

import numpy as np

import portanet
from portanet import layers, optimizers


def dense() -> portanet.Sequential:
    block = [layers.Dense(8, "gelu", kernel_regularizer="l2"), layers.LayerNormalization(), layers.Dropout(0.3)]
    return portanet.Sequential([layers.Input((12,)), *block, layers.Dense(3, "softmax")])


def images() -> portanet.Sequential:
    return portanet.Sequential(
        [
            layers.Input((12,)),
            layers.Reshape((2, 2, 3)),
            layers.UpSampling2D(2),
            layers.Conv2D(4, 3, padding="same", activation="relu"),
            layers.BatchNormalization(),
            layers.SeparableConv2D(5, 2),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(3, "softmax"),
        ]
    )


def sequences() -> portanet.Sequential:
    return portanet.Sequential(
        [
            layers.Input((12,)),
            layers.Reshape((4, 3)),
            layers.Bidirectional(layers.LSTM(4, return_sequences=True)),
            layers.GRU(5, return_sequences=True),
            layers.TransformerEncoder(8, 1),
            layers.GlobalAveragePooling1D(),
            layers.Dense(3, "softmax"),
        ]
    )


MODELS = {"dense": dense, "images": images, "sequences": sequences}
X = np.random.default_rng(1).normal(size=(9, 12)).astype("float32")
Y = np.arange(9, dtype="int32") % 3


def save(folder: pathlib.Path) -> dict[str, np.ndarray]:
    """Train the models briefly on the current backend, and save them; returns their predictions."""
    result = {}
    for name, make in MODELS.items():
        portanet.random.set_seed(5)
        model = make()
        model.compile(optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(X, Y, batch_size=4, epochs=1, verbose=0)
        model.save(folder / name)
        result[name] = model.predict(X)
    return result


if __name__ == "__main__":
    where, backend, *device = sys.argv[1:]
    portanet.set_backend(backend, *device)
    predicted = {}
    for path in sorted(pathlib.Path(where).rglob("*")):
        if path.is_file() and path.suffix == "":
            model = portanet.load_model(path)
            assert model.backend.name == backend
            predicted[f"{path.parent.name}/{path.name}"] = model.predict(X)
            model.fit(X, Y, batch_size=4, epochs=2, initial_epoch=model.position, verbose=0)
            predicted[f"{path.parent.name}/{path.name}/trained"] = model.predict(X)
    np.savez(pathlib.Path(where) / f"{backend}.npz", **predicted)
