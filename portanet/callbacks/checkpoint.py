"""Callbacks that save the model during training, and resume from what was saved."""

from __future__ import annotations

import contextlib
import os
import pathlib
import warnings
from typing import Any

from portanet import checks, saving
from portanet.callbacks.base import Logs
from portanet.callbacks.monitor import Monitor
from portanet.distribution.strategy import writes_files
from portanet.saving.atomic import remove_leftovers


class Periodic(Monitor):
    """Saves at the end of each epoch, or every `save_freq` batches; subclasses implement `save(logs)`.

    Args:
        save_freq: `"epoch"`, or a number of batches.
        monitor: Name of the quantity to monitor.
        mode: See `Monitor`.
    """

    def __init__(self, save_freq: str | int, monitor: str = "val_loss", mode: str = "auto") -> None:
        super().__init__(monitor, mode)
        by_epoch = isinstance(save_freq, str) and save_freq == "epoch"
        self.save_freq = save_freq if by_epoch else checks.positive_int("save_freq", save_freq, type(self))
        self.batches = 0
        """Batches since the model was last saved."""

    def save(self, logs: Logs) -> None:
        """Save the model."""
        raise NotImplementedError(f"{type(self).__name__} does not implement save(logs).")

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.batches = 0

    def on_train_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        self.batches += 1
        if self.batches == self.save_freq:
            self.batches = 0
            # The conversion to a dict updates the sums of the epoch, which are saved too.
            self.save(dict(logs or {}))

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.save_freq == "epoch":
            self.save(logs or {})

    def get_state(self) -> dict[str, Any]:
        return {"batches": self.batches}

    def set_state(self, state: dict[str, Any]) -> None:
        vars(self).update(state)


class ModelCheckpoint(Periodic):
    """Saves the model, or its weights, during training; as `keras.callbacks.ModelCheckpoint`.

    Files are written atomically. They hold what `model.save` writes, including the states of callbacks.

    Args:
        filepath: Path of the file; `{epoch}` (from 1), `{batch}` (from 1, if saving after batches) and names of the
            logs are filled in: `"{epoch:02d}-{val_loss:.2f}.safetensors"`. Its folder is created if necessary.
        monitor: Name of the quantity to monitor.
        verbose: 1 to print messages.
        save_best_only: Whether to save only when that quantity has improved.
        save_weights_only: Whether to save only the weights.
        mode: `"min"`, `"max"`, or `"auto"` to infer it from the loss or metric.
        save_freq: `"epoch"`, or a number of batches.
        initial_value_threshold: A value that the quantity must improve on.
        keep: Maximum number of files to keep: beyond it, the oldest that this callback wrote is removed. None to keep
            all.

    Attributes:
        best: The best value so far.
        files: The files written and still kept, oldest first.

    Example:
        >>> import pathlib, tempfile
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> model = portanet.Sequential([layers.Input((3,)), layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> last_two = portanet.callbacks.ModelCheckpoint(folder / "{epoch}.safetensors", keep=2)
        >>> _ = model.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=4, verbose=0, callbacks=[last_two])
        >>> sorted(path.name for path in folder.iterdir())
        ['3.safetensors', '4.safetensors']
    """

    order = 1

    def __init__(
        self,
        filepath: str | os.PathLike[str],
        monitor: str = "val_loss",
        verbose: int = 0,
        save_best_only: bool = False,
        save_weights_only: bool = False,
        mode: str = "auto",
        save_freq: str | int = "epoch",
        initial_value_threshold: float | None = None,
        keep: int | None = None,
    ) -> None:
        super().__init__(save_freq, monitor, mode)
        self.filepath = checks.path("filepath", filepath, type(self))
        self.verbose = checks.verbose(verbose, type(self))
        self.save_best_only = checks.boolean("save_best_only", save_best_only, type(self))
        self.save_weights_only = checks.boolean("save_weights_only", save_weights_only, type(self))
        self.best = initial_value_threshold
        if initial_value_threshold is not None:
            self.best = checks.number("initial_value_threshold", initial_value_threshold, "[-inf, inf]", type(self))
        self.keep = None if keep is None else checks.positive_int("keep", keep, type(self))
        self.files: list[str] = []

    def save(self, logs: Logs) -> None:
        position = self.model.position
        # At the end of an epoch, the position is already at the start of the next.
        epoch = position.epoch if self.save_freq == "epoch" else position.epoch + 1
        if self.save_best_only:
            value = self.get_monitor_value(logs)
            if value is not None and not self.improves(value, self.best):
                best = "nothing" if self.best is None else f"{self.best:.5f}"
                self._print(f"epoch {epoch}: {self.monitor} did not improve from {best}")
                return
            self.best = self.best if value is None else value
        try:
            path = pathlib.Path(self.filepath.format(epoch=epoch, batch=position.batch, **logs))
        except (KeyError, IndexError) as error:
            raise ValueError(
                f"Argument `filepath` of ModelCheckpoint names {error}, which is not available; available are "
                f"{', '.join(map(repr, ['epoch', 'batch', *logs]))}. Received: filepath={self.filepath!r}"
            ) from None
        self._print(f"epoch {epoch}: saving {path}")
        self.files = [file for file in self.files if file != str(path)] + [str(path)]
        outdated = [] if self.keep is None else self.files[: -self.keep]
        self.files = self.files[len(outdated) :]
        path.parent.mkdir(parents=True, exist_ok=True)
        if self.save_weights_only:
            self.model.save_weights(path)
        else:
            self.model.save(path)
        for file in outdated if writes_files() else []:
            pathlib.Path(file).unlink(missing_ok=True)

    def _print(self, text: str) -> None:
        if self.verbose:
            print(f"ModelCheckpoint: {text}")

    def get_state(self) -> dict[str, Any]:
        return super().get_state() | {"best": self.best, "files": list(self.files)}


class BackupAndRestore(Periodic):
    """Resumes training where a run of the same script was interrupted; as `keras.callbacks.BackupAndRestore`.

    It saves the whole training state. If the file exists when training begins, everything is restored from it: weights,
    optimizer state, random counters and seed, position in the epoch, and the states of the other callbacks. On the same
    backend, weights and curves are then the same, bit for bit, as those of an uninterrupted run. The file is written
    atomically, so a run may be killed at any time.

    Args:
        backup_dir: Folder for the file, `state.safetensors`; not shared with other runs.
        save_freq: `"epoch"`, or a number of batches.
        double_checkpoint: Whether to keep the state before the last, too, as `previous.safetensors`: it is restored,
            with a warning, where the last one cannot be read.
        delete_checkpoint: Whether to remove the files when training is complete.

    Raises:
        portanet.saving.LoadError: When training begins: the file belongs to another model.

    Example:
        >>> import tempfile
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> model = portanet.Sequential([layers.Input((3,)), layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> resume = portanet.callbacks.BackupAndRestore(tempfile.mkdtemp(), save_freq=100)
        >>> _ = model.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=4, verbose=0, callbacks=[resume])
    """

    order = 2

    def __init__(
        self,
        backup_dir: str | os.PathLike[str],
        save_freq: str | int = "epoch",
        double_checkpoint: bool = False,
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__(save_freq)
        self.backup_dir = checks.path("backup_dir", backup_dir, type(self))
        self.path = pathlib.Path(self.backup_dir) / "state.safetensors"
        self.previous = self.path.with_name("previous.safetensors")
        self.double_checkpoint = checks.boolean("double_checkpoint", double_checkpoint, type(self))
        self.delete_checkpoint = checks.boolean("delete_checkpoint", delete_checkpoint, type(self))

    def on_train_begin(self, logs: Logs | None = None) -> None:
        super().on_train_begin(logs)
        remove_leftovers(self.path)
        try:
            if self.path.exists():
                saving.restore(self.model, self.path)
                return
        except (OSError, saving.LoadError) as error:
            if not self.previous.exists():
                raise
            warnings.warn(f"BackupAndRestore resumes from the state before the last: {error}", stacklevel=2)
        if self.previous.exists():
            saving.restore(self.model, self.previous)

    def save(self, logs: Logs) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.double_checkpoint and writes_files() and self.path.exists():
            self.path.replace(self.previous)
        saving.save_model(self.model, self.path)

    def on_train_end(self, logs: Logs | None = None) -> None:
        position = self.model.position
        stopped = self.model.stop_training and position.batch == 0  # by a callback, between epochs
        if self.delete_checkpoint and writes_files() and (position.epoch >= self.params["epochs"] or stopped):
            for path in (self.path, self.previous):
                path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # there is none, or it holds other files
                self.path.parent.rmdir()
