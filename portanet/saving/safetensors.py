"""The safetensors format: a JSON header with the offsets of the tensors, then their bytes.

Source: https://huggingface.co/docs/safetensors/index#format. Files are not trusted: sizes are checked against the size
of the file before anything is allocated, and only requested tensors are read.
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
"""Maximum size of a header in bytes; parsed, it takes up to 30 times as much memory."""
MAX_AXES = 32
FOREIGN = {
    "PyTorch": (
        "a file of PyTorch, pickled, which may hold code. Convert it with PyTorch: "
        "safetensors.torch.save_file(torch.load(path, weights_only=True), 'weights.safetensors'), of a whole module "
        "its state_dict(); then portanet.saving.load_torch_state_dict(model, 'weights.safetensors')"
    ),
    "Keras": "a model of Keras. Load it with portanet.load_model(path), or its weights with model.load_weights(path)",
    "HDF5": "an HDF5 file. portanet.load_model(path) loads a model of Keras from it, model.load_weights(path) weights",
    "NumPy": "a file of NumPy. Load it with np.load; then model.set_weights(arrays), in the order of model.weights",
    "pickle": "a pickled object, which may hold code. Unpickle it if you trust it; then model.save(path)",
}
"""Files of other formats, and how to read them."""


@dataclass(frozen=True)
class Tensor:
    """An array on the host.

    Attributes:
        values: The values; float32 for bfloat16, which NumPy does not have.
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
        stored = np.ascontiguousarray(values, dtype=_file_dtype(self.dtype))
        return stored.reshape(-1).view("uint8")


@dataclass(frozen=True)
class Entry:
    """The header's entry of a tensor: dtype, shape, start and end of its bytes, relative to the end of the header."""

    dtype: str
    shape: tuple[int, ...]
    start: int
    stop: int


def write(file: BinaryIO, tensors: Mapping[str, Tensor], metadata: Mapping[str, str]) -> None:
    """Write tensors and metadata to a file; the widest dtypes first, so that all are aligned.

    Raises:
        ValueError: The format does not support a dtype.
    """
    for name, tensor in tensors.items():
        if tensor.dtype not in CODES:
            raise ValueError(
                f"Arrays of dtype {', '.join(CODES)} can be saved. Received: '{name}' of dtype {tensor.dtype}"
            )
    header: dict[str, Any] = {"__metadata__": dict(metadata)} if metadata else {}
    order = sorted(tensors, key=lambda name: (-_file_dtype(tensors[name].dtype).itemsize, name))
    start = 0
    for name in order:
        tensor = tensors[name]
        stop = start + math.prod(tensor.shape) * _file_dtype(tensor.dtype).itemsize
        header[name] = {"dtype": CODES[tensor.dtype], "shape": list(tensor.shape), "data_offsets": [start, stop]}
        start = stop
    text = json.dumps(header, separators=(",", ":"), allow_nan=False).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > MAX_HEADER:
        raise ValueError(
            f"The header of a file may take {MAX_HEADER} bytes; save large arrays as weights, not as lists in the "
            f"configuration. Received: {len(text)} bytes"
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
        metadata: Strings by name.
        entries: The header's entries of tensors, by name.

    Raises:
        OSError: The file cannot be opened.
        LoadError: It is damaged, or not a safetensors file.
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
        """Read a tensor.

        Raises:
            LoadError: The file was truncated meanwhile, or it holds booleans other than 0 and 1.
        """
        entry = self.entries[name]
        raw = np.empty(entry.stop - entry.start, dtype="uint8")
        self._file.seek(self._data + entry.start)
        if self._file.readinto(raw.data) != raw.size:
            raise self.error(f"it ends within tensor {_shown(name)}")
        stored = raw.view(_file_dtype(entry.dtype))
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
                f"it is not a safetensors file; it has {size} bytes, and such a file begins with a length of 8 bytes"
            )
        length = int.from_bytes(head, "little")
        if length > min(size - 8, MAX_HEADER):
            other = other_format(head + self._file.read(256))
            if other is not None:
                raise self.error(f"it is {FOREIGN[other]}")
            raise self.error(
                f"it is damaged or not a safetensors file; its header claims {length} bytes, but the file has {size} "
                f"and at most {MAX_HEADER} are read"
            )
        self._data = 8 + length
        try:
            header = json.loads(self._file.read(length).decode("utf-8"), object_pairs_hook=_without_repetition)
        except (ValueError, RecursionError) as error:
            raise self.error(f"its header is not JSON in UTF-8: {_brief(error)}") from None
        if not isinstance(header, dict):
            raise self.error("its header is not a JSON object")
        metadata = header.pop("__metadata__", {})
        if not isinstance(metadata, dict) or not all(isinstance(text, str) for text in metadata.values()):
            raise self.error("its __metadata__ is not an object of strings")
        entries = {name: self._entry(name, fields) for name, fields in header.items()}
        self._check_offsets(entries, size - self._data)
        return metadata, entries

    def _entry(self, name: str, fields: Any) -> Entry:
        if not isinstance(fields, dict) or set(fields) != {"dtype", "shape", "data_offsets"}:
            raise self.error(f"the entry of tensor {_shown(name)} is not dtype, shape and data_offsets")
        code, shape, offsets = fields["dtype"], fields["shape"], fields["data_offsets"]
        if not isinstance(code, str) or code not in DTYPES:
            raise self.error(f"tensor {_shown(name)} has dtype {_shown(code)}; known are {', '.join(DTYPES)}")
        if not _are_sizes(shape) or len(shape) > MAX_AXES:
            raise self.error(f"tensor {_shown(name)} has shape {_shown(shape)}, not at most {MAX_AXES} sizes")
        if not _are_sizes(offsets) or len(offsets) != 2:
            raise self.error(f"tensor {_shown(name)} has data_offsets {_shown(offsets)}, not a start and an end")
        width = _file_dtype(DTYPES[code]).itemsize
        if math.prod(max(n, 1) for n in shape) * width >= 2**62:
            raise self.error(f"tensor {_shown(name)} has the impossible shape {_shown(shape)}")
        start, stop = offsets
        if stop - start != math.prod(shape) * width:
            raise self.error(
                f"tensor {_shown(name)} of dtype {code} and shape {_shown(shape)} takes {math.prod(shape) * width} "
                f"bytes, and has {stop - start}"
            )
        return Entry(DTYPES[code], tuple(shape), start, stop)

    def _check_offsets(self, entries: dict[str, Entry], size: int) -> None:
        """Require that every byte of the data belongs to exactly one tensor."""
        position = 0
        for name, entry in sorted(entries.items(), key=lambda item: (item[1].start, item[1].stop)):
            if entry.start != position:
                what = "overlaps another tensor" if entry.start < position else "leaves a gap before it"
                raise self.error(f"tensor {_shown(name)} at offset {entry.start} {what}")
            position = entry.stop
        if position != size:
            raise self.error(f"its tensors take {position} bytes, but it has {size}: it was truncated or extended")


def format_of(path: str | os.PathLike[str]) -> str | None:
    """The format of a file that is known, but no safetensors file: a key of `FOREIGN`.

    Raises:
        OSError: It cannot be opened.
    """
    with pathlib.Path(path).open("rb") as file:
        return other_format(file.read(264))


def other_format(start: bytes) -> str | None:
    """The format of a file that is known, but no safetensors file, by its first bytes; a key of `FOREIGN`."""
    if start.startswith(b"PK\x03\x04"):  # a zip file, with the name of its first entry
        entries = {b"data.pkl": "PyTorch", b".json": "Keras", b".h5": "Keras", b"assets/": "Keras", b".npy": "NumPy"}
        return next((name for part, name in entries.items() if part in start), None)
    if start.startswith(b"\x80") and b"\x6c\xfc\x9c\x46\xf9" in start[:16]:  # the magic number of older versions
        return "PyTorch"
    starts = {b"\x89HDF": "HDF5", b"\x93NUMPY": "NumPy", b"\x80\x02": "pickle", b"\x80\x03": "pickle"}
    starts |= {b"\x80\x04\x95": "pickle", b"\x80\x05\x95": "pickle"}
    return next((name for magic, name in starts.items() if start.startswith(magic)), None)


def _file_dtype(dtype: str) -> np.dtype[Any]:
    """The NumPy dtype of elements in the file."""
    return np.dtype("uint16" if dtype == "bfloat16" else dtype).newbyteorder("<")


def _are_sizes(values: Any) -> bool:
    return isinstance(values, list) and all(type(n) is int and 0 <= n < 2**62 for n in values)


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    unique = dict(pairs)
    if len(unique) != len(pairs):
        seen: set[str] = set()
        repeated = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"{_shown(repeated)} is repeated")
    return unique


def _shown(value: Any) -> str:
    """A value from a file for an error message: short, and on one line."""
    text = repr(value) if not isinstance(value, list) or len(value) < 50 else f"a list of {len(value)}"
    return text if len(text) <= 120 else f"{text[:120]}..."


def _brief(error: BaseException) -> str:
    return "it is nested too deeply" if isinstance(error, RecursionError) else str(error)[:200]
