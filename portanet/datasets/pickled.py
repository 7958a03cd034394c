"""Reading of data sets that were pickled: arrays, lists, numbers and text alone, so that no code can run."""

from __future__ import annotations

import io
import pathlib
import pickle
import zipfile
from typing import Any

import numpy as np

from portanet.backends import HostArray

ALLOWED: dict[tuple[str, str], Any] = {
    (np.ndarray.__module__, "ndarray"): np.ndarray,
    (np.dtype.__module__, "dtype"): np.dtype,
    ("numpy.core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
    ("numpy._core.multiarray", "_reconstruct"): np.empty(0).__reduce__()[0],
}
"""What a pickle of arrays names."""


class Reader(pickle.Unpickler):
    """Reads pickles of arrays, lists, dicts, numbers and text; anything else is refused."""

    def find_class(self, module: str, name: str) -> Any:
        """What makes an array, if that is what the pickle names."""
        if (module, name) == ("_codecs", "encode"):
            return _encoded
        if (module, name) not in ALLOWED:
            raise pickle.UnpicklingError(f"it names {module}.{name}, which is no array")
        return ALLOWED[module, name]


def read_pickle(data: bytes, what: str) -> Any:
    """The contents of a pickle of arrays, lists, dicts, numbers and text, of Python 2 or 3.

    Args:
        data: The pickle.
        what: The name of the file, for messages.

    Raises:
        ValueError: It is damaged, or holds something else.
    """
    try:
        return Reader(io.BytesIO(data), encoding="bytes").load()
    except Exception as error:  # a damaged pickle may raise anything
        raise ValueError(f"{what} is damaged, or holds more than arrays: {str(error)[:200]}") from None


def read_npz(path: pathlib.Path, *names: str) -> list[HostArray]:
    """Arrays of an `.npz` file; those of objects are lists of numbers.

    Args:
        path: The file.
        *names: The names of the arrays.

    Raises:
        ValueError: The file is damaged, has no such array, or holds something else.
    """
    arrays = []
    try:
        with zipfile.ZipFile(path) as archive:
            for name in names:
                with archive.open(f"{name}.npy") as file:
                    arrays.append(_read_npy(io.BytesIO(file.read()), f"{name} of {path}"))
    except (zipfile.BadZipFile, KeyError, EOFError) as error:
        raise ValueError(f"{path} is damaged, or has no such array: {error}") from None
    return arrays


def _read_npy(file: io.BytesIO, what: str) -> HostArray:
    version = np.lib.format.read_magic(file)
    read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    _, _, dtype = read(file)
    if not dtype.hasobject:
        file.seek(0)
        return np.lib.format.read_array(file, allow_pickle=False)
    array = read_pickle(file.read(), what)
    if not isinstance(array, np.ndarray):
        raise ValueError(f"{what} is no array")
    return array


def _encoded(text: Any, encoding: Any = "utf-8") -> bytes:
    """Text as bytes, as Python 3 pickles the bytes of Python 2."""
    if not isinstance(text, str) or encoding not in ("latin1", "utf-8"):
        raise pickle.UnpicklingError("it encodes what is no text")
    return text.encode(encoding)
