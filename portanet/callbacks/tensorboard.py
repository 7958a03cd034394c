"""Curves and histograms for TensorBoard."""

from __future__ import annotations

import os
import pathlib
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from portanet import checks
from portanet.callbacks.base import Callback, Logs
from portanet.extras import install_command


class TensorBoard(Callback):
    """Writes event files for TensorBoard; as `keras.callbacks.TensorBoard`, through tensorboardX.

    The folder `train` holds `epoch_loss` etc.; `validation` uses the same names for the quantities of validation, so
    that TensorBoard plots both in one chart; `batches` holds `batch_loss` etc. In a resumed run TensorBoard ignores
    what was written after the checkpoint. To view: `pip install tensorboard`, then `tensorboard --logdir logs`.

    Args:
        log_dir: Folder of this run.
        histogram_freq: Epochs between two histograms of all weights, which are copied to the host; 0 for none.
        write_graph: Accepted as in Keras; graphs of the computation are not written.
        write_images: Accepted as in Keras, with a warning; likewise `profile_batch`, `embeddings_freq` and
            `embeddings_metadata`.
        write_steps_per_second: Whether to write `epoch_steps_per_second`, if the number of steps is known.
        update_freq: `"epoch"`; or the number of batches between two entries in `batches` (`"batch"`: 1), each of which
            waits for the device.

    Raises:
        ImportError: tensorboardX is not installed.

    Example:
        >>> import pathlib, tempfile
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> model = portanet.Sequential([layers.Input((3,)), layers.Dense(1)])
        >>> model.compile("sgd", "mse")
        >>> board = portanet.callbacks.TensorBoard(folder)
        >>> _ = model.fit(np.ones((8, 3)), np.ones((8, 1)), validation_split=0.5, verbose=0, callbacks=[board])
        >>> sorted(path.name for path in folder.iterdir())
        ['train', 'validation']
    """

    first_process_only = True

    def __init__(
        self,
        log_dir: str | os.PathLike[str] = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: int | str = "epoch",
        profile_batch: int | Sequence[int] = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: str | Mapping[str, str] | None = None,
    ) -> None:
        self.write_images = checks.boolean("write_images", write_images, type(self))
        self.embeddings_freq = checks.integer("embeddings_freq", embeddings_freq, type(self), least=0)
        if isinstance(profile_batch, (list, tuple)) and len(profile_batch) not in (0, 2):
            raise checks.invalid("profile_batch", profile_batch, "a batch, or the first and the last", type(self))
        for number in profile_batch if isinstance(profile_batch, (list, tuple)) else [profile_batch]:
            checks.integer("profile_batch", number, type(self), least=0)
        if not (embeddings_metadata is None or isinstance(embeddings_metadata, (str, Mapping))):
            raise checks.invalid("embeddings_metadata", embeddings_metadata, "a file, or a dict of them", type(self))
        self.embeddings_metadata = embeddings_metadata
        others = {"profile_batch": profile_batch, "embeddings_freq": embeddings_freq, "write_images": write_images}
        self.not_written = [name for name, value in others.items() if value]
        if embeddings_metadata is not None:
            self.not_written.append("embeddings_metadata")
        self.write_graph = checks.boolean("write_graph", write_graph, type(self))
        self.write_steps_per_second = checks.boolean("write_steps_per_second", write_steps_per_second, type(self))
        self.started = 0.0

        self.log_dir = checks.path("log_dir", log_dir, type(self))
        self.histogram_freq = checks.integer("histogram_freq", histogram_freq, type(self), least=0)
        if isinstance(update_freq, str):
            checks.choice("update_freq", update_freq, ("epoch", "batch"), type(self))
            self.update_freq = "epoch" if update_freq == "epoch" else 1
        else:
            self.update_freq = checks.positive_int("update_freq", update_freq, type(self))
        self.batches = 0
        """Batches since the beginning of training."""
        self.resumed = False
        self.writers: dict[str, Any] = {}
        if self.update_freq != "epoch":
            self.on_train_batch_end = self._write_batch  # type: ignore[method-assign]

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.batches, self.resumed = 0, False
        if self.not_written:
            warnings.warn(
                "TensorBoard writes no profiles, embeddings and images of weights; callbacks.Profiler measures steps. "
                f"Received: {', '.join(self.not_written)}",
                stacklevel=2,
            )
        summary_writer()

    def _write_batch(self, batch: int, logs: Logs | None = None) -> None:
        if isinstance(self.update_freq, int) and self.batches % self.update_freq == 0:
            for name, value in (logs or {}).items():
                self._write("batches", f"batch_{name}", value, self.batches)
        self.batches += 1

    def on_epoch_begin(self, epoch: int, logs: Logs | None = None) -> None:
        self.started = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        if self.write_steps_per_second and self.params.get("steps"):
            rate = self.params["steps"] / max(time.perf_counter() - self.started, 1e-9)
            self._write("train", "epoch_steps_per_second", rate, epoch)
        for name, value in (logs or {}).items():
            folder = "validation" if name.startswith("val_") else "train"
            self._write(folder, f"epoch_{name.removeprefix('val_')}", value, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            for variable in self.model.weights:
                self._writer("train").add_histogram(f"{variable.path}/histogram", variable.numpy(), epoch)
        for writer in self.writers.values():
            writer.flush()

    def on_train_end(self, logs: Logs | None = None) -> None:
        for writer in self.writers.values():
            writer.close()
        self.writers = {}

    def _write(self, folder: str, tag: str, value: Any, step: int) -> None:
        if np.ndim(value) == 0:
            self._writer(folder).add_scalar(tag, float(value), step)
        else:
            for i, entry in enumerate(np.ravel(value)):
                self._writer(folder).add_scalar(f"{tag}/{i}", float(entry), step)

    def _writer(self, folder: str) -> Any:
        if folder not in self.writers:
            step = self.batches if folder == "batches" else self.model.position.epochs[-1]
            self.writers[folder] = summary_writer()(
                str(pathlib.Path(self.log_dir) / folder),
                purge_step=step if self.resumed else None,
                filename_suffix=f".{time.time_ns()}",  # else runs in the same second share a file
            )
        return self.writers[folder]

    def get_state(self) -> dict[str, Any]:
        return {"batches": self.batches}

    def set_state(self, state: dict[str, Any]) -> None:
        self.batches, self.resumed = state["batches"], True


def summary_writer() -> Any:
    """The class that writes event files."""
    try:
        from tensorboardX import SummaryWriter
    except ImportError as error:
        raise ImportError(
            f"callbacks.TensorBoard needs tensorboardX. Type: {install_command('tensorboard')}"
        ) from error
    return SummaryWriter
