"""Reading of untrusted data files: bounded in memory, and never executed."""

from __future__ import annotations

import gzip
import pathlib
import zlib
from typing import Any

CHUNK = 1 << 24
LIMIT = 1 << 32
"""Default maximum size of a file after decompression, in bytes."""


def read_bytes(path: Any, max_bytes: int = LIMIT, expected: int | None = None) -> bytearray:
    """The contents of a file, decompressed if it is gzip-compressed (detected by its first bytes, not by its name).

    Args:
        path: The file.
        max_bytes: Refuse files that hold more; no more is read.
        expected: Stop after this number of bytes.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file holds more than `max_bytes`, or its compression is damaged.
    """
    path = pathlib.Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"No such file; download it first, portanet does not. Received: {str(path)!r}")
    with path.open("rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        source = gzip.GzipFile(fileobj=file) if compressed else file
        limit = max_bytes + 1 if expected is None else min(expected, max_bytes + 1)
        data = bytearray()
        try:
            # In chunks, so that memory grows with the actual contents, whatever the header claims.
            while len(data) < limit and (chunk := source.read(min(CHUNK, limit - len(data)))):
                data += chunk
        except (EOFError, OSError, zlib.error) as error:
            raise ValueError(
                f"File {str(path)!r} is damaged or truncated: {error}. Received: {len(data)} bytes"
            ) from None
    if len(data) > max_bytes:
        raise ValueError(
            f"File {str(path)!r} holds more than {max_bytes} bytes; pass a larger max_bytes if intended. "
            f"Received: at least {len(data)} bytes"
        )
    return data
