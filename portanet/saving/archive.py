"""portanet's files: safetensors with a JSON document in the metadata and checksums of all contents."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from portanet import checks
from portanet.saving.atomic import write_atomically
from portanet.saving.errors import LoadError
from portanet.saving.safetensors import SafetensorsFile, Tensor, write

VERSION = 1
"""Version of the document, described in docs/saving.md. Files of later versions are refused."""
DOCUMENT, DIGEST = "portanet", "portanet.blake2b"
"""Keys of the metadata."""


def write_archive(path: str | os.PathLike[str], document: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Write a document and tensors to a file atomically.

    Args:
        path: The file; an existing one is replaced.
        document: JSON values.
        tensors: Arrays by name.
    """
    path = checks.path("path", path)
    checksums = {name: zlib.crc32(tensor.to_bytes().data) for name, tensor in tensors.items()}
    text = json.dumps({"version": VERSION, **document, "checksums": checksums}, allow_nan=False)
    directory = {name: (tensor.dtype, tensor.shape) for name, tensor in tensors.items()}
    with write_atomically(path) as file:
        write(file, tensors, {DOCUMENT: text, DIGEST: _digest(text, directory)})


class Archive:
    """A safetensors file open for reading; checksums are verified if portanet wrote it.

    Attributes:
        file: The file.
        document: The document passed to `write_archive`; None for a file that portanet did not write.
    """

    def __init__(self, file: SafetensorsFile) -> None:
        self.file = file
        self.names = list(file.entries)
        self.document: dict[str, Any] | None = None
        self._checksums: dict[str, Any] = {}
        text = file.metadata.get(DOCUMENT)
        if text is not None:
            self.document = self._checked_document(text)

    def error(self, what: str) -> LoadError:
        """An error that names the file."""
        return self.file.error(what)

    def shape(self, name: str) -> tuple[int, ...]:
        """The shape of a tensor."""
        return self.file.entries[name].shape

    def dtype(self, name: str) -> str:
        """The dtype of a tensor."""
        return self.file.entries[name].dtype

    def read(self, name: str) -> Tensor:
        """Read a tensor.

        Raises:
            LoadError: Its bytes do not match the checksum.
        """
        tensor = self.file.read(name)
        if self.document is not None and zlib.crc32(tensor.to_bytes().data) != self._checksums[name]:
            raise self.error(f"tensor {name!r} is damaged: its bytes do not match the checksum")
        return tensor

    def _checked_document(self, text: str) -> dict[str, Any]:
        directory = {name: (entry.dtype, entry.shape) for name, entry in self.file.entries.items()}
        if self.file.metadata.get(DIGEST) != _digest(text, directory):
            raise self.error("its description is damaged: it does not match the checksum")
        try:
            document = json.loads(text)
        except (ValueError, RecursionError):
            raise self.error("its description is not JSON, or nested too deeply") from None
        if not isinstance(document, dict):
            raise self.error("its description is not a JSON object")
        version, checksums = document.get("version"), document.get("checksums")
        if version != VERSION:
            raise self.error(
                f"it has version {str(version)[:20]} of the format, and this portanet reads {VERSION}; "
                "use the portanet that wrote it, or a later one"
            )
        if not isinstance(checksums, dict) or set(checksums) != set(directory):
            raise self.error("its checksums do not match its tensors")
        self._checksums = checksums
        return document


@contextlib.contextmanager
def open_archive(path: str | os.PathLike[str]) -> Iterator[Archive]:
    """Open a file for reading in a `with` statement.

    Raises:
        OSError: The file cannot be opened.
        LoadError: It is damaged, or not a safetensors file.
    """
    with SafetensorsFile(checks.path("path", path)) as file:
        yield Archive(file)


def _digest(text: str, directory: Mapping[str, tuple[str, tuple[int, ...]]]) -> str:
    """The BLAKE2b digest of the document and the names, dtypes and shapes of the tensors."""
    entries = [[name, dtype, list(shape)] for name, (dtype, shape) in sorted(directory.items())]
    data = f"{text}\n{json.dumps(entries)}".encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=16).hexdigest()
