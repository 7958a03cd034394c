"""An array in several .npy files, read on access."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Iterable
from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import HostArray


class NpyShards:
    """Several .npy files as one array along the first axis; only requested rows are read.

    `fit`, `evaluate` and `predict` take it as `x`, `y` or `sample_weight`. Files are open only while they are read, so
    their number is not limited.

    Args:
        paths: The files, in order: `sorted(folder.glob("x-*.npy"))`.

    Raises:
        FileNotFoundError: `paths` is empty, or a file is missing.
        ValueError: A file is not a .npy file of numbers, or differs from the first in dtype or in the shape of rows.

    Example:
        >>> import pathlib, tempfile
        >>> import numpy as np
        >>> folder = tempfile.TemporaryDirectory()
        >>> for i in range(3):
        ...     np.save(pathlib.Path(folder.name) / f"x-{i}.npy", np.full((2, 4), i))
        >>> x = NpyShards(sorted(pathlib.Path(folder.name).glob("x-*.npy")))
        >>> x.shape
        (6, 4)
        >>> x[[5, 0, 3]][:, 0]
        array([2, 0, 1])
        >>> folder.cleanup()
    """

    def __init__(self, paths: Iterable[Any]) -> None:
        if isinstance(paths, (str, os.PathLike)) or not isinstance(paths, Iterable):
            raise checks.invalid("paths", paths, "a list of paths", type(self))
        self.paths = [pathlib.Path(checks.path("paths", path, type(self))) for path in paths]
        if not self.paths:
            raise FileNotFoundError("Argument `paths` names no files; does the folder or pattern exist? Received: []")
        parts = [_mapped(path) for path in self.paths]
        self.dtype = parts[0].dtype
        row = parts[0].shape[1:]
        for path, part in zip(self.paths, parts, strict=True):
            if part.ndim == 0 or part.dtype != self.dtype or part.shape[1:] != row:
                raise ValueError(
                    f"File {str(path)!r} does not match {str(self.paths[0])!r}, rows of {self.dtype} {row}. "
                    f"Received: an array of {part.dtype} {part.shape}"
                )
        self.ends = np.cumsum([part.shape[0] for part in parts])
        self.shape = (int(self.ends[-1]), *row)

    def __len__(self) -> int:
        return int(self.ends[-1])

    def __getitem__(self, rows: Any) -> HostArray:
        """Rows by a slice or an array of indices, as a NumPy array in memory."""
        indices = np.arange(len(self))[rows]
        flat = np.atleast_1d(indices)
        out = np.empty((len(flat), *self.shape[1:]), dtype=self.dtype)
        files = np.searchsorted(self.ends, flat, side="right")
        for file in np.unique(files):
            mask = files == file
            start = self.ends[file - 1] if file else 0
            out[mask] = _mapped(self.paths[file])[flat[mask] - start]
        return out if indices.ndim else np.asarray(out[0])


def _mapped(path: pathlib.Path) -> HostArray:
    if not path.is_file():
        raise FileNotFoundError(f"No such file. Received: {str(path)!r}")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise ValueError(
            f"File {str(path)!r} is not a .npy file of numbers, or is damaged. Received: {error}"
        ) from None
    if not isinstance(array, np.ndarray):
        array.close()
        raise ValueError(f"File {str(path)!r} holds several arrays; save each with numpy.save. Received: a .npz file")
    return array
