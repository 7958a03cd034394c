"""Log files with one line per epoch."""

from __future__ import annotations

import csv
import io
import json
import math
import os
import pathlib
from collections.abc import Mapping
from typing import Any, TextIO

import numpy as np

from portanet import checks
from portanet.callbacks.base import Callback, Logs


class LogFile(Callback):
    """Writes a line to a file after each epoch; subclasses implement `line(epoch, logs)`.

    The file is flushed after each epoch. A resumed run truncates it to the checkpoint and continues from there.

    Args:
        filename: Path of the file; its folder is created if necessary.
        append: Whether to append to an existing file, instead of replacing it.

    Example:
        >>> class Losses(LogFile):
        ...     def line(self, epoch, logs):
        ...         return f"{epoch} {logs['loss']}"
        >>> Losses("losses.txt", append=True).append
        True
    """

    first_process_only = True

    def __init__(self, filename: str | os.PathLike[str], append: bool = False) -> None:
        self.filename = checks.path("filename", filename, type(self))
        self.path = pathlib.Path(self.filename)
        self.append = checks.boolean("append", append, type(self))
        self.size: int | None = None
        """Size of the file in bytes after the last line of this run; None before the first."""
        self.file: TextIO | None = None

    def begin(self, first: str, logs: Mapping[str, Any]) -> str:
        """The text to write before the lines of this run.

        Args:
            first: The first line of the file; empty in a new file.
            logs: The first logs of this run.
        """
        return ""

    def line(self, epoch: int, logs: Mapping[str, Any]) -> str:
        """The text to write after an epoch, including the end of line."""
        raise NotImplementedError(f"{type(self).__name__} does not implement line(epoch, logs).")

    def on_train_begin(self, logs: Logs | None = None) -> None:
        self.size = None

    def on_epoch_end(self, epoch: int, logs: Logs | None = None) -> None:
        logs = logs or {}
        if self.file is None:
            self.file = self._open()
            self.file.write(self.begin(self.file.readline(), logs))
        self.file.write(self.line(epoch, logs))
        self.file.flush()
        self.size = os.fstat(self.file.fileno()).st_size

    def on_train_end(self, logs: Logs | None = None) -> None:
        if self.file is not None:
            self.file.close()
            self.file = None

    def _open(self) -> TextIO:
        """The file, truncated to its valid size: reading starts at the beginning, writing appends."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        file = open(self.path, "a+", newline="", encoding="utf-8")  # noqa: SIM115 - closed when training ends
        size = os.fstat(file.fileno()).st_size
        valid = self.size if self.size is not None else size if self.append else 0
        file.truncate(min(valid, size))
        file.seek(0)
        return file

    def get_state(self) -> dict[str, Any]:
        return {"size": self.size}

    def set_state(self, state: dict[str, Any]) -> None:
        self.size = state["size"]


class CSVLogger(LogFile):
    """Writes a row of a CSV file after each epoch; as `keras.callbacks.CSVLogger`.

    The columns are `epoch`, from 0, and the quantities of the first epoch in alphabetical order, with those of
    validation, even if they come later; missing values are `NA`. With `append`, the columns are those of the existing
    file. A resumed run truncates the file to its checkpoint and continues from there.

    Args:
        filename: Path of the file; its folder is created if necessary.
        separator: Separator of columns.
        append: Whether to append to an existing file, instead of replacing it.

    Raises:
        ValueError: The columns of the existing file do not match `epoch` and the quantities.

    Example:
        >>> import pathlib, tempfile
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "log.csv"
        >>> model = portanet.Sequential([layers.Input((3,)), layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile(portanet.optimizers.SGD(0.0), "mse")
        >>> log = portanet.callbacks.CSVLogger(path)
        >>> _ = model.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=2, verbose=0, callbacks=[log])
        >>> path.read_text().split()
        ['epoch,loss,val_loss', '0,1.0,NA', '1,1.0,NA']
    """

    def __init__(self, filename: str | os.PathLike[str], separator: str = ",", append: bool = False) -> None:
        super().__init__(filename, append)
        self.sep = checks.text("separator", separator, type(self))
        if len(separator) != 1 or separator in '\r\n"':
            raise checks.invalid("separator", separator, "one character, such as ',' or '\\t'", type(self))
        self.columns: list[str] = []

    @property
    def keys(self) -> list[str] | None:
        """The quantities in the columns; None before the first epoch."""
        return self.columns[1:] or None

    def begin(self, first: str, logs: Mapping[str, Any]) -> str:
        names = sorted(logs)
        if not any(name.startswith("val_") for name in names):
            names += [f"val_{name}" for name in names]
        self.columns = ["epoch", *names]
        if not first:
            return self._row(self.columns)
        columns = next(csv.reader([first], delimiter=self.sep))
        if set(columns) - set(self.columns) or not set(logs) <= set(columns):
            raise ValueError(
                f"CSVLogger appends to '{self.path}', whose columns are {', '.join(columns)}, but the quantities are "
                f"{', '.join(logs)}. Choose another file, or append=False. Received: filename='{self.path}'"
            )
        self.columns = columns
        return ""

    def line(self, epoch: int, logs: Mapping[str, Any]) -> str:
        values = {"epoch": epoch, **logs}
        return self._row([self._text(values.get(name, "NA")) for name in self.columns])

    def _row(self, cells: list[Any]) -> str:
        text = io.StringIO()
        csv.writer(text, delimiter=self.sep).writerow(cells)
        return text.getvalue()

    @staticmethod
    def _text(value: Any) -> Any:
        return value if np.ndim(value) == 0 else f'"[{", ".join(map(str, value))}]"'


class JSONLinesLogger(LogFile):
    """Writes a line with a JSON object after each epoch: `{"epoch": 0, "loss": 0.5}`.

    NaN and infinity, which JSON does not have, become null. A resumed run truncates the file to its checkpoint and
    continues from there. See https://jsonlines.org.

    Args:
        filename: Path of the file; its folder is created if necessary.
        append: Whether to append to an existing file, instead of replacing it.

    Example:
        >>> import pathlib, tempfile
        >>> import numpy as np
        >>> import portanet
        >>> from portanet import layers
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "log.jsonl"
        >>> model = portanet.Sequential([layers.Input((3,)), layers.Dense(1, kernel_initializer="zeros")])
        >>> model.compile(portanet.optimizers.SGD(0.0), "mse")
        >>> log = portanet.callbacks.JSONLinesLogger(path)
        >>> _ = model.fit(np.ones((8, 3)), np.ones((8, 1)), epochs=2, verbose=0, callbacks=[log])
        >>> path.read_text().splitlines()
        ['{"epoch": 0, "loss": 1.0}', '{"epoch": 1, "loss": 1.0}']
    """

    def line(self, epoch: int, logs: Mapping[str, Any]) -> str:
        return json.dumps({"epoch": epoch, **{name: _json(value) for name, value in logs.items()}}) + "\n"


def _json(value: Any) -> Any:
    """A number or an array as a JSON value."""
    plain = np.asarray(value).tolist()
    if isinstance(plain, list):
        return [_json(entry) for entry in plain]
    return None if isinstance(plain, float) and not math.isfinite(plain) else plain
