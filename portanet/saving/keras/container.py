"""The zip file `model.keras` of Keras 3: a description in JSON, and weights in HDF5."""

from __future__ import annotations

import json
import os
import time
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

from portanet.saving.errors import LoadError

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"
VERSION = "3.15.1"
"""The version of Keras whose format is written."""
FLOOR, EXPANSION = 2**20, 20
"""An entry may take so many bytes, or so many times what is stored: Keras compresses nothing."""
MAX_CONFIG = 32 * 2**20
"""Maximum size of the description in bytes; parsed, it takes up to 30 times as much memory."""


@dataclass(frozen=True)
class Container:
    """The contents of a `.keras` file.

    Attributes:
        metadata: The version of Keras that wrote it, and the date; empty if the file does not say.
        config: The description of the model.
        weights: The HDF5 file of the weights.
        assets: Files of layers, such as vocabularies, by path.
    """

    metadata: dict[str, Any]
    config: dict[str, Any]
    weights: bytes
    assets: dict[str, bytes]


def read_container(path: str | os.PathLike[str]) -> Container:
    """Read a `.keras` file; nothing is extracted to disk.

    Raises:
        OSError: It cannot be opened.
        LoadError: It is damaged, or no file of Keras 3.
    """
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                return _contents(archive, os.fspath(path))
        except LoadError:
            raise
        except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, ValueError, OverflowError) as error:
            raise LoadError(f"Cannot load {os.fspath(path)}: it is damaged: {str(error)[:200]}") from None


def write_container(file: BinaryIO, config: Mapping[str, Any], weights: bytes, assets: Mapping[str, bytes]) -> None:
    """Write a `.keras` file.

    Args:
        file: A binary file open for writing.
        config: The description of the model.
        weights: The HDF5 file of the weights.
        assets: Files of layers by path.
    """
    with zipfile.ZipFile(file, "w") as archive:
        saved = time.strftime("%Y-%m-%d@%H:%M:%S")
        archive.writestr(METADATA, json.dumps({"keras_version": VERSION, "date_saved": saved}))
        archive.writestr(CONFIG, json.dumps(config))
        archive.writestr(WEIGHTS, weights)
        for name, data in assets.items():
            archive.writestr(f"assets/{name}", data)


def _contents(archive: zipfile.ZipFile, name: str) -> Container:
    def error(what: str) -> LoadError:
        return LoadError(f"Cannot load {name}: {what}")

    def read(entry: zipfile.ZipInfo, most: float = float("inf")) -> bytes:
        limit = int(min(most, max(FLOOR, EXPANSION * entry.compress_size)))
        with archive.open(entry) as file:
            data = file.read(limit + 1)
        if len(data) > limit:
            raise error(
                f"its entry {entry.filename[:100]!r} would take more than {limit} bytes, which is not plausible"
            )
        return data

    entries: dict[str, zipfile.ZipInfo] = {}
    for entry in archive.infolist():
        if entry.filename in entries:
            raise error(f"it has two entries {entry.filename[:100]!r}")
        entries[entry.filename] = entry
    for part in (CONFIG, WEIGHTS):
        if part not in entries:
            raise error(f"it is no model of Keras 3: it has no {part}. Received: entries {str(sorted(entries))[:200]}")

    def described(part: str) -> dict[str, Any]:
        try:
            parsed = json.loads(read(entries[part], MAX_CONFIG))
        except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
            raise error(f"its {part} is not JSON, or nested too deeply") from None
        if not isinstance(parsed, dict):
            raise error(f"its {part} is not a JSON object")
        return parsed

    metadata = described(METADATA) if METADATA in entries else {}
    assets = {
        n.removeprefix("assets/"): read(e) for n, e in entries.items() if n.startswith("assets/") and n[-1] != "/"
    }
    return Container(metadata, described(CONFIG), read(entries[WEIGHTS]), assets)
