"""Files from the network, stored and checked."""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

from portanet.extras import install_command

HOME = "PORTANET_HOME"
"""The environment variable with the folder for downloads, instead of `~/.portanet`."""


def cache_folder(subfolder: str = "datasets", folder: str | os.PathLike[str] | None = None) -> pathlib.Path:
    """The folder where downloads are stored: `subfolder` of `PORTANET_HOME`, else of `~/.portanet`.

    Args:
        subfolder: The folder in it.
        folder: A folder instead of `PORTANET_HOME`.
    """
    base = os.environ.get(HOME) or pathlib.Path.home() / ".portanet" if folder is None else folder
    return pathlib.Path(base).expanduser() / subfolder


def fetch(url: str, name: str, folder: pathlib.Path, digest: str | None = None, renew: bool = False) -> pathlib.Path:
    """A file from the network, downloaded unless it is stored already.

    Args:
        url: Where it is; http, https, ftp or file.
        name: The name under which it is stored.
        folder: The folder where it is stored.
        digest: Its checksum, SHA-256 or MD5 in hexadecimal; None not to check it.
        renew: Whether to download it again.

    Returns:
        Its path.

    Raises:
        ImportError: It is not stored, and pooch, which downloads, is not installed.
        OSError: It cannot be downloaded, or is not the expected one.
    """
    path = folder / name
    if path.is_file() and not renew and (digest is None or _matches(path, digest)):
        return path
    try:
        import pooch
    except ImportError as error:
        raise ImportError(
            f"Downloading {url} needs pooch. Type: {install_command('data')}; or store the file as {path}"
        ) from error
    known = None if digest is None else f"{_algorithm(digest)}:{digest}"
    if renew:
        path.unlink(missing_ok=True)
    try:
        pooch.retrieve(url, known_hash=known, fname=name, path=folder, downloader=_downloader(url))
    except Exception as error:  # as many kinds as there are protocols
        raise OSError(
            f"Cannot download {url}: {str(error)[:300]} Without network, store the file as {path}, or in "
            f"`{folder.name}` of the folder that the environment variable {HOME} names"
        ) from error
    return path


def _algorithm(digest: str) -> str:
    return "sha256" if len(digest) == 64 else "md5"


def _matches(path: pathlib.Path, digest: str) -> bool:
    with path.open("rb") as file:
        return hashlib.file_digest(file, _algorithm(digest)).hexdigest() == digest


def _downloader(url: str) -> Callable[..., None] | None:
    """How to download; None to leave it to pooch, which knows no local files."""
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "file":
        return None

    def copy(url: str, output_file: Any, pooch: Any) -> None:
        shutil.copyfile(urllib.request.url2pathname(parts.path), output_file)

    return copy
