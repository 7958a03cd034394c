"""The IDX format of MNIST (Y. LeCun)."""

from __future__ import annotations

import math
import pathlib
import struct
import sys
from typing import Any

import numpy as np

from portanet.backends import HostArray
from portanet.datasets.files import LIMIT, read_bytes

DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

MNIST = {
    "train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"),
    "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"),
}


def read_idx(path: Any, max_bytes: int = LIMIT) -> HostArray:
    """An IDX file, plain or gzip-compressed.

    Args:
        path: The file.
        max_bytes: Refuse files that hold more; memory is allocated for the contents, not for what the header claims.

    Returns:
        A NumPy array of the file's dtype (in native byte order) and shape.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is not an IDX file, is truncated, holds more than its header specifies, or is too large.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder) / "three"
        ...     _ = file.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))
        ...     read_idx(file)
        array([7, 8, 9], dtype=uint8)
    """
    dtype, shape, start = _header(path, max_bytes)
    size = math.prod(shape) * dtype.itemsize
    data = read_bytes(path, max_bytes, expected=start + size + 1)
    if len(data) != start + size:
        fault = "is truncated" if len(data) < start + size else "holds more than its header specifies"
        raise ValueError(
            f"File {str(path)!r} {fault}: shape {shape} takes {size} bytes. "
            f"Received: {'at least ' if len(data) > start + size else ''}{len(data) - start}"
        )
    array = np.frombuffer(data, dtype=dtype, offset=start).reshape(shape)
    # Big-endian arrays are copied; arrays of bytes share the buffer just read.
    return array.astype(dtype.newbyteorder("="), copy=False)


def map_idx(path: Any) -> HostArray:
    """An uncompressed IDX file as a memory map: data is read on access.

    `fit`, `evaluate` and `predict` read it batch by batch.

    Args:
        path: The file.

    Returns:
        A read-only `numpy.memmap` of the file's dtype (in the file's byte order) and shape.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is compressed, is not an IDX file, or does not match its header.

    Example:
        >>> import pathlib, tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     file = pathlib.Path(folder) / "three"
        ...     _ = file.write_bytes(bytes([0, 0, 8, 1, 0, 0, 0, 3, 7, 8, 9]))
        ...     map_idx(file)
        memmap([7, 8, 9], dtype=uint8)
    """
    path = pathlib.Path(path)
    if path.is_file():
        with path.open("rb") as file:
            if file.read(2) == b"\x1f\x8b":
                raise ValueError(
                    f"File {str(path)!r} is compressed and cannot be mapped: decompress it (gunzip -k), or read it "
                    "with read_idx. Received: a gzip file"
                )
    dtype, shape, start = _header(path, sys.maxsize)
    size = math.prod(shape) * dtype.itemsize
    if path.stat().st_size != start + size:
        raise ValueError(
            f"File {str(path)!r} does not match its header: shape {shape} takes {size} bytes. "
            f"Received: {path.stat().st_size - start}"
        )
    return np.memmap(path, dtype=dtype, mode="r", offset=start, shape=shape)


def _header(path: Any, max_bytes: int) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """Dtype, shape and offset of the data of an IDX file."""
    head = read_bytes(path, expected=4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in DTYPES or head[3] == 0:
        raise ValueError(
            f"File {str(path)!r} is not an IDX file: it must begin with two zeros, the code of a dtype and the number "
            f"of axes. Received: {bytes(head).hex(' ')}"
        )
    dtype, rank = np.dtype(DTYPES[head[2]]), head[3]
    start = 4 + 4 * rank
    head = read_bytes(path, expected=start)
    if len(head) < start:
        raise ValueError(f"File {str(path)!r} is truncated within its header. Received: {len(head)} bytes of {start}")
    shape = struct.unpack(f">{rank}I", head[4:start])
    size = math.prod(shape) * dtype.itemsize
    if start + size > max_bytes:
        raise ValueError(
            f"The header of {str(path)!r} specifies an array of shape {shape}, {size} bytes, more than max_bytes="
            f"{max_bytes}. Received: a damaged file, or one that needs a larger max_bytes"
        )
    return dtype, shape, start


def load_mnist(folder: Any) -> tuple[tuple[HostArray, HostArray], tuple[HostArray, HostArray]]:
    """MNIST, or another dataset in the same four files, from a folder; as `keras.datasets.mnist.load_data()`.

    Args:
        folder: The folder of `train-images-idx3-ubyte` and the other three, compressed (`.gz`) or not.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images as uint8 of shape (examples, 28, 28), labels as uint8.

    Raises:
        FileNotFoundError: A file is missing.
        ValueError: A file is damaged, or images and labels differ in number.

    Example:
        >>> (x, y), (x_test, y_test) = load_mnist("mnist")  # doctest: +SKIP
    """
    parts = []
    for images, labels in MNIST.values():
        x, y = read_idx(_either(folder, images)), read_idx(_either(folder, labels))
        if x.ndim != 3 or y.shape != x.shape[:1]:
            raise ValueError(
                f"Files {images} and {labels} in {str(folder)!r} do not belong together. "
                f"Received: shapes {x.shape} and {y.shape}"
            )
        parts.append((x, y))
    return parts[0], parts[1]


def _either(folder: Any, name: str) -> pathlib.Path:
    """The path of the file, or of its compressed version."""
    plain = pathlib.Path(folder) / name
    return plain if plain.is_file() else plain.with_name(f"{name}.gz")
