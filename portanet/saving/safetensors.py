"""The safetensors format: a JSON header that says where each tensor is, then their bytes.

Source: https://huggingface.co/docs/safetensors/index#format. Reading trusts nothing: sizes are checked against the
file's before anything is allocated, and only the tensors that are asked for are read.
"""

from __future__ import annotations

import json
import math
import os
import pathlib
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO, Self

import numpy as np

from portanet.backends import HostArray
from portanet.saving.errors import LoadError

DTYPES = {
    "BOOL": "bool", "U8": "uint8", "I8": "int8", "U16": "uint16", "I16": "int16", "U32": "uint32", "I32": "int32",
    "U64": "uint64", "I64": "int64", "F16": "float16", "BF16": "bfloat16", "F32": "float32", "F64": "float64",
    "C64": "complex64",
}  # fmt: skip
CODES = {name: code for code, name in DTYPES.items()}
MAX_HEADER = 32 * 2**20
"""The largest header that is read, in bytes: what is parsed takes up to some 30 times as much memory."""
MAX_AXES = 32


@dataclass(frozen=True)
class Tensor:
    """An array on the host.

    Attributes:
        values: The values; bfloat16, which NumPy does not have, as float32.
        dtype: Name of the dtype.
    """

    values: HostArray
    dtype: str

    @property
    def shape(self) -> tuple[int, ...]:
        """Its shape."""
        return tuple(self.values.shape)

    def to_bytes(self) -> HostArray:
        """The elements in C order, little-endian, as an array of uint8."""
        values = self.values
        if self.dtype == "bfloat16":  # the upper half of a float32
            values = (np.asarray(values, dtype="float32").view("uint32") >> 16).astype("uint16")
        stored = np.ascontiguousarray(values, dtype=_stored(self.dtype))
        return stored.reshape(-1).view("uint8")


@dataclass(frozen=True)
class Entry:
    """What a header says of a tensor: dtype, shape, where its bytes begin and end, counted from the header's end."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


def write(file: BinaryIO, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors and metadata to a file; the widest dtypes first, so that all are aligned.

    Raises:
        ValueError: The format has no such dtype.
    """
    for name, tensor in tensors.items():
        if tensor.dtype not in CODES:
            raise ValueError(
                f"Arrays of dtype {', '.join(CODES)} can be saved. Received: '{name}' of dtype {tensor.dtype}"
            )
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    order = sorted(tensors, key=lambda name: (-_stored(tensors[name].dtype).itemsize, name))
    start = 0
    for name in order:
        tensor = tensors[name]
        stop = start + math.prod(tensor.shape) * _stored(tensor.dtype).itemsize
        header[name] = {"dtype": CODES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [start, stop]}
        start = stop
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > MAX_HEADER:
        raise ValueError(
            f"The description of what is saved may take {MAX_HEADER} bytes; save large arrays as weights rather than "
            f"as lists of numbers in the configuration. Received: {len(text)} bytes"
        )
    file.write(len(text).to_bytes(8, "little"))
    file.write(text)
    for name in order:
        file.write(tensors[name].to_bytes().data)


class SafetensorsFile:
    """A safetensors file, open for reading; use it in a `with` statement.

    Args:
        path: The file.

    Attributes:
        metadata: Texts by name.
        entries: What the header says of each tensor, by name.

    Raises:
        OSError: The file cannot be opened.
        LoadError: It is no safetensors file, or a damaged one.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = pathlib.Path(path)
        self._file = open(self.path, "rb")  # noqa: SIM115 - closed by __exit__
        try:
            self.metadata, self.entries = self._read_header()
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()

    def error(self, what: str) -> LoadError:
        """An error that names the file."""
        return LoadError(f"Cannot load {self.path}: {what}")

    def read(self, name: str) -> Tensor:
        """One tensor.

        Raises:
            LoadError: The file was cut meanwhile, or it holds booleans other than 0 and 1.
        """
        entry = self.entries[name]
        raw = np.empty(entry.stop - entry.start, dtype="uint8")
        self._file.seek(self._data + entry.start)
        if self._file.readinto(raw.data) != raw.size:
            raise self.error(f"it ends within tensor {_shown(name)}")
        stored = raw.view(_stored(entry.dtype))
        if entry.dtype == "bool" and raw.size and raw.max() > 1:
            raise self.error(f"tensor {_shown(name)} has dtype BOOL and holds bytes other than 0 and 1")
        if entry.dtype == "bfloat16":
            stored = (stored.astype("uint32") << 16).view("float32")
        values = stored if sys.byteorder == "little" else stored.astype(stored.dtype.newbyteorder("="))
        return Tensor(values.reshape(entry.shape), entry.dtype)

    def _read_header(self) -> tuple[dict[str, str], dict[str, Entry]]:
        size = os.fstat(self._file.fileno()).st_size
        head = self._file.read(8)
        if len(head) < 8:
            raise self.error(
                f"it is no safetensors file; it has {size} bytes, and such a file begins with 8 of a length"
            )
        length = int.from_bytes(head, "little")
        if length > min(size - 8, MAX_HEADER):
            raise self.error(
                f"it is damaged or no safetensors file; its header is said to have {length} bytes, where the file has "
                f"{size} and at most {MAX_HEADER} are read"
            )
        self._data = 8 + length
        try:
            header = json.loads(self._file.read(length).decode("utf-8"), object_pairs_hook=_without_repetition)
        except (ValueError, RecursionError) as error:
            raise self.error(f"its header is no JSON in UTF-8: {_brief(error)}") from None
        if not isinstance(header, dict):
            raise self.error("its header is no JSON object")
        metadata = header.pop("__metadata__", {})
        if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
            raise self.error("its __metadata__ is not an object of texts")
        entries = {name: self._entry(name, found) for name, found in header.items()}
        self._check_offsets(entries, size - self._data)
        return metadata, entries

    def _entry(self, name: str, found: Any) -> Entry:
        if not isinstance(found, dict) or set(found) != {"dtype", "shape", "data_offsets"}:
            raise self.error(f"what it says of tensor {_shown(name)} is not dtype, shape and data_offsets")
        code, shape, offsets = found["dtype"], found["shape"], found["data_offsets"]
        if not isinstance(code, str) or code not in DTYPES:
            raise self.error(f"tensor {_shown(name)} has dtype {_shown(code)}; known are {', '.join(DTYPES)}")
        if not _are_sizes(shape) or len(shape) > MAX_AXES:
            raise self.error(f"tensor {_shown(name)} has shape {_shown(shape)}, not at most {MAX_AXES} sizes")
        if not _are_sizes(offsets) or len(offsets) != 2:
            raise self.error(f"tensor {_shown(name)} has data_offsets {_shown(offsets)}, not a begin and an end")
        width = _stored(DTYPES[code]).itemsize
        if math.prod(max(n, 1) for n in shape) * width >= 2**62:
            raise self.error(f"tensor {_shown(name)} has the absurd shape {_shown(shape)}")
        start, stop = offsets
        if stop - start != math.prod(shape) * width:
            raise self.error(
                f"tensor {_shown(name)} of dtype {code} and shape {_shown(shape)} takes {math.prod(shape) * width} "
                f"bytes, and has {stop - start}"
            )
        return Entry(DTYPES[code], tuple(shape), start, stop)

    def _check_offsets(self, entries: dict[str, Entry], size: int) -> None:
        """Every byte of the data belongs to one tensor."""
        position = 0
        for name, entry in sorted(entries.items(), key=lambda item: (item[1].start, item[1].stop)):
            if entry.start != position:
                what = "overlaps another tensor" if entry.start < position else "leaves a gap before it"
                raise self.error(f"tensor {_shown(name)} at offset {entry.start} {what}")
            position = entry.stop
        if position != size:
            raise self.error(
                f"its tensors take {position} bytes, and it has {size}: it was cut, or something was added"
            )


def _stored(dtype: str) -> np.dtype[Any]:
    """The NumPy dtype of what is in the file."""
    return np.dtype("uint16" if dtype == "bfloat16" else dtype).newbyteorder("<")


def _are_sizes(numbers: Any) -> bool:
    return isinstance(numbers, list) and all(type(n) is int and 0 <= n < 2**62 for n in numbers)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        once: set[str] = set()
        twice = next(name for name, _ in pairs if name in once or once.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"{_shown(twice)} stands there twice")
    return found


def _shown(value: Any) -> str:
    """What a file holds, in an error message: short, and on one line."""
    text = repr(value) if not isinstance(value, list) or len(value) < 50 else f"a list of {len(value)}"
    return text if len(text) <= 120 else f"{text[:120]}..."


def _brief(error: BaseException) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
