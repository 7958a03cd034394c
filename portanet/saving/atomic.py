"""Files that are written whole or not at all, whenever the process or the machine stops."""

from __future__ import annotations

import contextlib
import os
import pathlib
import secrets
import time
from collections.abc import Iterator
from typing import BinaryIO

ABANDONED = 3600.0
"""Seconds after which a temporary file that nobody wrote to is taken for one of a process that was killed."""


@contextlib.contextmanager
def write_atomically(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A file to write to, which takes its place under `path` at the end of the `with` block.

    It is a temporary file in the same folder, `.NAME.RANDOM.part`, until its bytes are on the disk (fsync); then it
    is renamed, and the folder is brought to the disk too. After an exception it is removed, and what was under `path`
    stays. What a killed process left behind is removed by a later call.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "numbers"
        >>> with write_atomically(path) as file:
        ...     _ = file.write(b"123")
        >>> path.read_bytes()
        b'123'
    """
    target = pathlib.Path(os.path.realpath(path))
    remove_leftovers(target, ABANDONED)
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        with open(part, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise
    if os.name == "posix":  # elsewhere a folder cannot be opened
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def remove_leftovers(path: str | os.PathLike[str], age: float = 0.0) -> None:
    """Remove what processes that were killed while writing `path` left beside it, if it is older than `age` seconds."""
    target = pathlib.Path(os.path.realpath(path))
    if not target.parent.is_dir():
        return
    for left in target.parent.iterdir():
        name = left.name
        if name.startswith(f".{target.name}.") and name.endswith(".part") and len(name) == len(target.name) + 15:
            with contextlib.suppress(OSError):  # another process may be faster
                if time.time() - left.stat().st_mtime >= age:
                    left.unlink()
