"""HDF5 files of weights, as Keras 3 writes them: arrays named `GROUP/vars/INDEX`."""

from __future__ import annotations

import io
import itertools
import math
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, BinaryIO

import numpy as np

from portanet.backends import HostArray
from portanet.extras import install_command
from portanet.saving.errors import LoadError
from portanet.saving.safetensors import Tensor


def h5py(why: str) -> Any:
    """The package h5py.

    Raises:
        ImportError: It is not installed; the error names the extra.
    """
    try:
        import h5py
    except ImportError as error:
        raise ImportError(f"{why} needs h5py. Type: {install_command('keras')}") from error
    return h5py


class WeightFile:
    """An HDF5 file, open for reading.

    Only plain arrays are read: no links to other files, no compressed arrays or arrays of objects. No array is larger
    than what the file stores for it, so that memory is bounded by the size of the file.

    Args:
        file: The file.
        path: Its path, for messages.

    Attributes:
        names: The names of all arrays.

    Raises:
        LoadError: It is damaged, or holds something else.
    """

    def __init__(self, file: BinaryIO, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        size = file.seek(0, io.SEEK_END)
        self._datasets: dict[str, Any] = {}
        package = h5py("Loading a file of Keras")
        with self._damaged():
            self._file = package.File(file, "r")
            self._file.visititems(lambda name, item: self._note(name, item, package))
        if sum(math.prod(each.shape) * each.dtype.itemsize for each in self._datasets.values()) > size:
            raise self.error("its arrays take more bytes than it has")

    @property
    def names(self) -> list[str]:
        """The names of the arrays."""
        return list(self._datasets)

    def error(self, what: str) -> LoadError:
        """An error that names the file."""
        return LoadError(f"Cannot load {self.path}: {what}")

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of an array."""
        return tuple(self._datasets[name].shape)

    def dtype(self, name: str) -> str:
        """The dtype of an array."""
        kind = self._datasets[name].dtype
        return "bfloat16" if kind.kind == "V" else str(kind.newbyteorder("="))

    def attribute(self, group: str, name: str) -> list[str] | None:
        """The strings in an attribute of a group, or in those of this name with numbers, if it was too long for one.

        Args:
            group: The path of the group; "" for the file.
            name: The name of the attribute.

        Returns:
            The strings, or None if there is no such attribute or group.

        Raises:
            LoadError: The file is damaged.
        """
        with self._damaged():
            if (holder := self._file.get(group or "/")) is None:
                return None
            numbered = itertools.takewhile(lambda part: part in holder.attrs, (f"{name}{n}" for n in itertools.count()))
            parts = [name] if name in holder.attrs else list(numbered)
            values = [value for part in parts for value in holder.attrs[part]]
            return [v.decode() if isinstance(v, bytes) else str(v) for v in values] if parts else None

    def text(self, name: str) -> str | None:
        """The text in an attribute of the file, or None if there is no such attribute.

        Args:
            name: The name of the attribute.

        Raises:
            LoadError: The file is damaged.
        """
        with self._damaged():
            value = self._file.attrs.get(name)
            return value.decode() if isinstance(value, bytes) else None if value is None else str(value)

    def read(self, name: str) -> Tensor:
        """Read an array.

        Raises:
            LoadError: The file is damaged.
        """
        with self._damaged():
            values = np.asarray(self._datasets[name][()])
        dtype = self.dtype(name)
        if dtype == "bfloat16":
            return Tensor((values.view("<u2").astype("uint32") << 16).view("float32"), dtype)
        return Tensor(values.astype(values.dtype.newbyteorder("="), copy=False), dtype)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _note(self, name: str, item: Any, package: Any) -> None:
        if not isinstance(item, package.Dataset):
            return
        shown, kind = repr(name[:100]), item.dtype
        if item.shape is None or not (
            kind.kind in "biuf" or (kind.kind == "V" and kind.itemsize == 2 and not kind.names)
        ):
            raise self.error(f"{shown} is no array of numbers. Received: dtype {kind}")
        if item.external or item.is_virtual or item.chunks:
            raise self.error(
                f"{shown} is stored in parts, compressed or elsewhere, as Keras does not; save it with Keras"
            )
        if math.prod(item.shape) * kind.itemsize > item.id.get_storage_size():
            raise self.error(f"{shown} of shape {item.shape} is not stored in full")
        self._datasets[name] = item

    @contextmanager
    def _damaged(self) -> Iterator[None]:
        try:
            yield
        except LoadError:
            raise
        except Exception as error:  # h5py raises nearly every kind
            raise self.error(f"it is damaged, or no HDF5 file: {str(error)[:200]}") from None


def write_weights(file: BinaryIO, groups: Mapping[str, list[Tensor] | dict[str, Tensor]]) -> None:
    """Write arrays as Keras does.

    Args:
        file: A binary file open for writing and reading.
        groups: The arrays of each object with weights, by the path of its group; "" for the model. Those of a list are
            named by their indices.
    """
    with h5py("Saving a file of Keras").File(file, "w") as target:
        for path, tensors in groups.items():
            group = target.create_group(f"{path}/vars" if path else "vars")
            named = tensors if isinstance(tensors, dict) else dict(enumerate(tensors))
            for name, tensor in named.items():
                values = stored(tensor)
                dataset = group.create_dataset(str(name), data=values, dtype=values.dtype)
                if tensor.dtype == "bfloat16":
                    dataset.attrs["dtype"] = "bfloat16"


def stored(tensor: Tensor) -> HostArray:
    """An array as Keras stores it."""
    if tensor.dtype == "bfloat16":  # the upper half of a float32, as two opaque bytes
        return tensor.to_bytes().view("V2").reshape(tensor.shape)
    return np.asarray(tensor.values)
