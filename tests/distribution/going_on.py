"""A script that goes on after errors that all processes have, and reads what the first one has written; a full disk."""

from __future__ import annotations

import errno
import os
import pathlib
import sys
from typing import Any

import portanet
from portanet import layers
from portanet.callbacks import Callback
from tests.distribution import programs


class Failing(Callback):
    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        if epoch == 1:
            raise RuntimeError("The machine is on fire.")


def going_on() -> Any:
    """Errors of two runs, and losses that follow; a file is read in the next line."""
    x, y = programs.data(24, 6)
    model = _model()
    errors, losses = [], []
    for turn in range(2):
        try:
            model.fit(x, y, batch_size=12, epochs=3, verbose=0, callbacks=[Failing()])
        except RuntimeError as error:
            errors.append(str(error))
        if programs.rank() == 0:
            model.save(pathlib.Path(sys.argv[2]) / f"{turn}, by the first.safetensors")
        losses.append(model.evaluate(x, y, verbose=0))
        path = pathlib.Path(sys.argv[2]) / f"{turn}.safetensors"
        model.save(path)
        losses.append(portanet.saving.load_model(path).evaluate(x, y, verbose=0))
    return {"errors": errors, "losses": losses}


def by_one(rank: str = "0") -> None:
    """One process saves a model that all have trained."""
    model, (x, y) = _model(), programs.data(24, 6)
    model.fit(x, y, batch_size=12, verbose=0)
    if programs.rank() == int(rank):
        model.save(pathlib.Path(sys.argv[2]) / "model.safetensors")
    model.evaluate(x, y, verbose=0)


def _model() -> Any:
    model = portanet.Sequential([layers.Input((6,)), layers.Dense(3)])
    model.compile("adam", portanet.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def full(folder: pathlib.Path) -> None:
    """Let the disk be full in the second epoch."""
    from portanet.saving import archive

    write, calls = archive.write_atomically, []

    def writing(path: Any) -> Any:
        calls.append(path)
        if len(calls) > 8 and programs.rank() == 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
        return write(path)

    archive.write_atomically = writing
