"""Atomic writing of files, even if the process or the machine stops."""

from __future__ import annotations

import contextlib
import errno
import os
import pathlib
import secrets
import stat
import tempfile
import time
from collections.abc import Iterator
from typing import BinaryIO

from portanet.distribution.strategy import writes_files, writing

ABANDONED = 3600.0
"""Seconds after its last write when a temporary file is considered left behind by a killed process."""


@contextlib.contextmanager
def write_atomically(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Open a file for writing that replaces `path` at the end of the `with` block.

    A temporary file in the same folder, `.NAME.RANDOM.part`, is written and flushed to disk (fsync), then renamed, and
    the folder is flushed too. After an exception it is removed, and an existing `path` is unchanged. A later call
    removes files left behind by killed processes. In a job of several processes the first one alone writes; the
    others wait until it has.

    Raises:
        OSError: The file cannot be written, or `path` is no regular file but a folder, device, pipe or circle of links.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "numbers"
        >>> with write_atomically(path) as file:
        ...     _ = file.write(b"123")
        >>> path.read_bytes()
        b'123'
    """
    with writing():
        if not writes_files():
            with tempfile.TemporaryFile() as nothing:
                yield nothing
            return
        with _replacing(path) as file:
            yield file


@contextlib.contextmanager
def _replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    target = pathlib.Path(os.path.realpath(path))
    _require_replaceable(target, path)
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        remove_leftovers(target, ABANDONED)
        with open(part, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            part.chmod(stat.S_IMODE(target.stat().st_mode))
        os.replace(part, target)
        if os.name == "posix":  # elsewhere a folder cannot be opened
            folder = os.open(target.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
    except BaseException as error:
        part.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.errno is not None and error.filename in (None, str(part)):
            # Such as a full disk: name the caller's file.
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error
        raise


def _require_replaceable(target: pathlib.Path, path: str | os.PathLike[str]) -> None:
    """Refuse what must not be replaced by a file, such as /dev/null, which every process uses."""
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fspath(path))
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), os.fspath(path))
    if target.exists() and not target.is_file():
        raise OSError(errno.EINVAL, "Not a regular file, and no file may replace it", os.fspath(path))


def remove_leftovers(path: str | os.PathLike[str], age: float = 0.0) -> None:
    """Remove temporary files older than `age` seconds that killed processes left behind while writing `path`."""
    target = pathlib.Path(os.path.realpath(path))
    if not target.parent.is_dir():
        return
    for file in target.parent.iterdir():
        name = file.name
        if name.startswith(f".{target.name}.") and name.endswith(".part") and len(name) == len(target.name) + 15:
            with contextlib.suppress(OSError):  # another process may have removed it
                if time.time() - file.stat().st_mtime >= age:
                    file.unlink()
