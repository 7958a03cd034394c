"""Reading files of data whose contents are not to be trusted: bounded in memory, and never executed."""

from __future__ import annotations

import gzip
import pathlib
import zlib
from typing import Any

CHUNK = 1 << 24
LIMIT = 1 << 32
"""Bytes that a file may hold after decompression, unless the caller says otherwise."""


def read_bytes(path: Any, max_bytes: int = LIMIT, expected: int | None = None) -> bytearray:
    """The contents of a file, decompressed if it is gzip's (told by its first bytes, not by its name).

    Args:
        path: The file.
        max_bytes: Refuse files that hold more; they are not read further than that.
        expected: Stop after so many bytes.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file holds more than `max_bytes`, or its compression is damaged.
    """
    place = pathlib.Path(path)
    if not place.is_file():
        raise FileNotFoundError(f"No such file; download it first, portanet does not. Received: {str(path)!r}")
    with place.open("rb") as plain:
        compressed = plain.read(2) == b"\x1f\x8b"
        plain.seek(0)
        source = gzip.GzipFile(fileobj=plain) if compressed else plain
        wanted = max_bytes + 1 if expected is None else min(expected, max_bytes + 1)
        found = bytearray()
        try:
            # In pieces: memory then grows with what is there, whatever a header promises.
            while len(found) < wanted and (piece := source.read(min(CHUNK, wanted - len(found)))):
                found += piece
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(
                f"File {str(place)!r} is damaged or cut short: {error}. Received: {len(found)} bytes"
            ) from None
    if len(found) > max_bytes:
        raise ValueError(
            f"File {str(place)!r} holds more than {max_bytes} bytes; pass a larger max_bytes if that is meant. "
            f"Received: at least {len(found)} bytes"
        )
    return found
