"""Training that is killed again and again: `python -m tests.saving.killed FOLDER KILLS`, in a process of its own.

Each child process resumes where the last was killed, and saves after every batch, under the name of the batch
and as a backup. The files are checked after each. The last child resumes from the backup, and runs to the end.
"""

from __future__ import annotations

import json
import os
import pathlib
import secrets
import signal
import sys
from typing import Any

import numpy as np

import portanet
from portanet import layers
from portanet.callbacks import BackupAndRestore, ModelCheckpoint
from portanet.saving.archive import open_archive

NEVER = 10**6
RNG = np.random.default_rng(0)
X = RNG.normal(size=(64, 16)).astype("float32")
Y = (X[:, :4].argmax(axis=1)).astype("int32")


def train(folder: pathlib.Path, epochs: int, save_freq: int = 1) -> tuple[portanet.Sequential, dict[str, Any]]:
    """Train, saving after every n batches; resume the killed run in the folder, if any."""
    portanet.random.set_seed(3)
    model = portanet.Sequential(
        [layers.Input((16,)), layers.Dense(64, "relu"), layers.Dropout(0.3), layers.Dense(4, "softmax")]
    )
    model.compile(portanet.optimizers.Adam(0.01, use_ema=True), "sparse_categorical_crossentropy", metrics=["accuracy"])
    callbacks = [
        ModelCheckpoint(folder / "model-{batch}", save_freq=save_freq),
        BackupAndRestore(folder, save_freq=save_freq, delete_checkpoint=False),
    ]
    return model, model.fit(X, Y, batch_size=32, epochs=epochs, verbose=0, callbacks=callbacks).history


def report_progress(reports: int, acknowledgements: int) -> None:
    """Report each stage of saving; continue when the stage before the last was acknowledged."""

    def reporting(function: Any) -> Any:
        def reported(*args: Any) -> Any:
            os.write(reports, b".")
            os.read(acknowledgements, 1)
            return function(*args)

        return reported

    # The temporary file gets a name; it and its folder are brought to the disk; it is renamed.
    secrets.token_hex, os.fsync, os.replace = map(reporting, (secrets.token_hex, os.fsync, os.replace))


def in_a_child(folder: pathlib.Path, epochs: int, stages: int | None) -> int:
    """Train in a child process, which is killed after some stages of saving; returns its exit status."""
    (reports, reporting), (acknowledged, acknowledging) = os.pipe(), os.pipe()
    child = os.fork()
    if child == 0:
        if stages is not None:
            report_progress(reporting, acknowledged)
        model, history = train(folder, epochs, 1 if stages else NEVER)
        model.save_weights(folder / "weights")
        (folder / "history").write_text(json.dumps(history))
        os._exit(0)
    os.close(reporting)
    for _ in range(stages or 0):  # the child is at most one stage ahead
        os.write(acknowledging, b".")
        os.read(reports, 1)
    if stages is not None:
        os.kill(child, signal.SIGKILL)
    for descriptor in (reports, acknowledged, acknowledging):
        os.close(descriptor)
    return os.waitpid(child, 0)[1]


def look(folder: pathlib.Path) -> tuple[int, list[int]]:
    """The number of temporary files, and the position of the backup; every other file must be complete."""
    names = [path.name for path in folder.iterdir() if path.is_file()]
    for name in names:
        if not name.endswith(".part"):
            with open_archive(folder / name) as archive:
                for tensor in archive.names:
                    archive.read(tensor)
            if not name.startswith("."):
                portanet.load_model(folder / name)
    backup = folder / "state.safetensors"
    place = portanet.load_model(backup).position if backup.exists() else portanet.training.Position()
    return sum(name.endswith(".part") for name in names), [place.epoch, place.batch]


if __name__ == "__main__":
    where, kills = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    random, found = np.random.default_rng(1), []
    train(where / "warm", 1)  # all imports are done: the children start training at once
    for _ in range(kills):
        status = in_a_child(where, 4 * kills, int(random.integers(1, 33)))
        found.append([status == signal.SIGKILL, *look(where)])
    print(json.dumps([found, in_a_child(where, 4 * kills, None)]))
