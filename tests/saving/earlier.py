"""Files of an earlier version with its results, in tests/saving/files/.

They were written by version 0.1.0, on its NumPy backend with NumPy 2.4, by `python -m tests.saving.earlier` with this
file in the tree of commit 2a204b2. Do not rewrite them: they show that files of that version load.

- `sequential.safetensors`: `sequential()`, trained for two epochs of four, saved by `model.save`.
- `graph.safetensors`: likewise `graph()`, with shared layers, two inputs and two outputs.
- `weights.safetensors`: the weights of the first, saved by `model.save_weights`.
- `state.safetensors`: a backup of `BackupAndRestore`, in the middle of the second epoch of `stopped`.
- `expected.npz`: predictions of the models, and losses and predictions after the other epochs.
"""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np

import portanet
from portanet import layers, optimizers, schedules
from portanet.callbacks import BackupAndRestore, Callback, EarlyStopping, ReduceLROnPlateau

FILES = pathlib.Path(__file__).parent / "files"


def waves(*shape: int) -> np.ndarray[Any, Any]:
    """Data that does not depend on a generator."""
    return np.sin(np.arange(np.prod(shape)) ** 1.5).reshape(shape).astype("float32")


X = waves(24, 6)
Y = np.argmax(X[:, :3], axis=1).astype("int32")
GRAPH_X = {"image": waves(16, 6, 6, 2), "sequence": waves(16, 5, 4)}
GRAPH_Y = {"label": Y[:16], "mean": np.mean(GRAPH_X["sequence"], axis=(1, 2))[:, None]}


def sequential() -> portanet.Sequential:
    return portanet.Sequential(
        [
            layers.Input((6,)),
            layers.Dense(8, "relu", kernel_regularizer="l2"),
            layers.Dropout(0.3),
            layers.BatchNormalization(momentum=0.9),
            layers.Dense(3, "softmax"),
        ]
    )


def compiled() -> portanet.Sequential:
    model = sequential()
    rate = schedules.CosineDecay(0.02, 20, warmup_target=0.03, warmup_steps=5)
    model.compile(optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def graph() -> portanet.Model:
    """Two inputs and two outputs; a dense layer and an LSTM are used twice."""
    image, sequence = layers.Input((6, 6, 2), name="image"), layers.Input((5, 4), name="sequence")
    pixels = layers.Conv2D(4, 3, activation="relu", name="filters")(image)
    pixels = layers.Reshape((4, 16))(layers.MaxPooling2D(2, strides=1, padding="same")(pixels))
    shared, memory = layers.Dense(4, "tanh", name="shared"), layers.LSTM(4, return_sequences=True, name="memory")
    left, right = memory(shared(layers.Dense(4, name="narrow")(pixels))), memory(shared(sequence))
    both = layers.MultiHeadAttention(2, 4, name="attention")(left, right)
    pooled = layers.Concatenate()(
        [layers.GlobalAveragePooling1D()(both), layers.GlobalMaxPooling1D()(layers.LayerNormalization()(right))]
    )
    label, mean = layers.Dense(3, "softmax", name="label")(pooled), layers.Dense(1, name="mean")(pooled)
    model = portanet.Model(inputs=[image, sequence], outputs={"label": label, "mean": mean})
    model.compile(
        optimizers.SGD(0.05, momentum=0.9, nesterov=True, clipnorm=1.0),
        loss={"label": "sparse_categorical_crossentropy", "mean": "mse"},
        loss_weights={"label": 1.0, "mean": 0.5},
        metrics={"label": ["accuracy"]},
    )
    return model


def continued(model: portanet.Model, x: Any, y: Any) -> dict[str, list[float]]:
    """Train the remaining epochs up to the fourth; returns the whole history."""
    start = model.position
    return model.fit(x, y, batch_size=5, epochs=4, initial_epoch=start, verbose=0).history


class StopAfter(Callback):
    """Ends a run after n batches as a signal would, without cleaning up."""

    def __init__(self, batches: int) -> None:
        self.left = batches

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        self.left -= 1
        if self.left == 0:
            raise SystemExit


def with_backup(folder: pathlib.Path, *further: Callback) -> tuple[portanet.Sequential, dict[str, list[float]]]:
    """A script that may be killed and restarted: it starts or resumes, depending on the folder."""
    model = sequential()
    model.compile(optimizers.RMSprop(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    callbacks = [
        BackupAndRestore(folder, save_freq=2),
        ReduceLROnPlateau("loss", factor=0.5, patience=1, min_delta=0.2),
        EarlyStopping("val_loss", patience=3, restore_best_weights=True),
        *further,
    ]
    validation = (X[:8], Y[:8])
    fitted = model.fit(X, Y, batch_size=5, epochs=4, verbose=0, validation_data=validation, callbacks=callbacks)
    return model, fitted.history


if __name__ == "__main__":
    portanet.set_backend("numpy")
    portanet.random.set_seed(11)
    expected: dict[str, Any] = {}
    first, second = compiled(), graph()
    for name, model, x, y in (("sequential", first, X, Y), ("graph", second, GRAPH_X, GRAPH_Y)):
        model.fit(x, y, batch_size=5, epochs=2, verbose=0)
        model.save(FILES / f"{name}.safetensors")
        if name == "sequential":
            model.save_weights(FILES / "weights.safetensors")
        predicted = model.predict(x)
        history = continued(model, x, y)
        for key, value in {"before": predicted, "history": history, "after": model.predict(x)}.items():
            parts = value if isinstance(value, dict) else {"": value}
            expected |= {f"{name}/{key}/{part}": values for part, values in parts.items()}
    try:
        with_backup(FILES, StopAfter(7))
    except SystemExit:
        backup = (FILES / "state.safetensors").read_bytes()
    model, history = with_backup(FILES)  # which removes its backup at the end
    (FILES / "state.safetensors").write_bytes(backup)
    expected |= {f"state/history/{part}": values for part, values in history.items()}
    expected["state/after/"] = model.predict(X)
    np.savez_compressed(FILES / "expected.npz", **expected)
