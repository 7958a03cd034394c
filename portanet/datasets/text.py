"""Text files: plain, with a label on every line, and reviews with a label by their folder."""

from __future__ import annotations

import lzma
import pathlib
import re
import tarfile
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import HostArray
from portanet.datasets.files import LIMIT, read_bytes

_REVIEW = re.compile(r"(?:^|/)(train|test)/(pos|neg)/(\d{1,18})_\d+\.txt$")


def read_text(path: Any, encoding: str = "utf-8", max_bytes: int = LIMIT) -> str:
    """A text file as one string, with all line endings converted to newlines.

    Args:
        path: Path of the file.
        encoding: Its encoding.
        max_bytes: The largest size that is accepted.

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file is too large, or not in the encoding.

    Example:
        >>> import os, tempfile
        >>> path = os.path.join(tempfile.mkdtemp(), "text.txt")
        >>> with open(path, "w") as file:
        ...     length = file.write("to be")
        >>> read_text(path)
        'to be'
    """
    return _decoded(read_bytes(path, max_bytes), encoding, path)


def _decoded(data: bytes | bytearray, encoding: str, path: Any) -> str:
    try:
        return data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"File {str(path)!r} is not text in {encoding}; pass its encoding, such as 'latin-1'. Received: byte "
            f"{data[error.start]:#04x} at {error.start}"
        ) from None


def read_trec(path: Any, encoding: str = "latin-1") -> tuple[list[str], list[str], list[str]]:
    """Questions with the classes of their answers, as in the TREC dataset (X. Li and D. Roth 2002).

    A line holds `COARSE:fine question`, such as `NUM:dist How far is it from Denver to Aspen ?`.

    Args:
        path: The file.
        encoding: Its encoding.

    Returns:
        The questions, their coarse classes (`"NUM"`) and their fine ones (`"NUM:dist"`).

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: A line has no class.

    Example:
        >>> questions, coarse, fine = read_trec("train_5500.label")  # doctest: +SKIP
    """
    texts, coarse, fine = [], [], []
    for number, line in enumerate(read_text(path, encoding).splitlines(), start=1):
        if not line.strip():
            continue
        label, _, text = line.strip().partition(" ")
        category, colon, subcategory = label.partition(":")
        if not (category and colon and subcategory and text):
            raise ValueError(f"Line {number} of {str(path)!r} must be 'COARSE:fine question'. Received: {line[:60]!r}")
        texts.append(text)
        coarse.append(category)
        fine.append(label)
    return texts, coarse, fine


def read_imdb(path: Any, max_bytes: int = LIMIT) -> tuple[tuple[list[str], HostArray], tuple[list[str], HostArray]]:
    """Reviews of movies as texts, as A. Maas et al. (2011) publish them; `imdb.load_data` has them as numbers of words.

    Args:
        path: The archive `aclImdb_v1.tar.gz`, or the folder `aclImdb` that is in it.
        max_bytes: Refuse archives and folders whose reviews hold more.

    Returns:
        `(texts_train, y_train), (texts_test, y_test)`: lists of 25,000 texts, and 1 for positive, 0 for negative, of
        dtype int32. Negative reviews come first, each kind by its number.

    Raises:
        FileNotFoundError: The file or folder does not exist.
        ValueError: It holds no reviews, or too many, or a review is no text.

    Example:
        >>> import pathlib, tempfile
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> for name, text in (("train/neg/0_2", "Dull."), ("train/pos/0_9", "Fine."), ("test/pos/0_10", "Superb.")):
        ...     (folder / name).parent.mkdir(parents=True)
        ...     _ = (folder / f"{name}.txt").write_text(text)
        >>> read_imdb(folder)
        ((['Dull.', 'Fine.'], array([0, 1], dtype=int32)), (['Superb.'], array([1], dtype=int32)))
    """
    path = pathlib.Path(checks.path("path", path, "read_imdb"))
    max_bytes = checks.positive_int("max_bytes", max_bytes, "read_imdb")
    if not path.exists():
        raise FileNotFoundError(
            f"No such file; download aclImdb_v1.tar.gz first, portanet does not. Received: {str(path)!r}"
        )
    found: dict[str, list[tuple[int, int, str]]] = {"train": [], "test": []}
    size = 0
    for name, data in (_files_of_folder if path.is_dir() else _files_of_archive)(path, max_bytes):
        review = _REVIEW.search(name)
        if review is None:
            continue
        size += len(data)
        if size > max_bytes:
            raise ValueError(f"{str(path)!r} holds more than {max_bytes} bytes. Received: at least {size} bytes")
        found[review[1]].append((int(review[2] == "pos"), int(review[3]), _decoded(data, "utf-8", name)))
    if not any(found.values()):
        raise ValueError(
            f"{str(path)!r} must hold reviews such as train/pos/0_9.txt, as in aclImdb_v1.tar.gz. Received: none"
        )
    train, test = (sorted(found[part]) for part in ("train", "test"))
    return _texts_and_labels(train), _texts_and_labels(test)


def _files_of_folder(folder: pathlib.Path, limit: int) -> Iterator[tuple[str, bytes]]:
    for path in folder.glob("*/*/*.txt"):
        with path.open("rb") as file:
            yield path.as_posix(), file.read(limit + 1)


def _files_of_archive(path: pathlib.Path, limit: int) -> Iterator[tuple[str, bytes]]:
    try:
        with tarfile.open(path, "r:*") as archive:
            for member in archive:
                file = archive.extractfile(member) if member.isfile() and _REVIEW.search(member.name) else None
                if file is not None:
                    yield member.name, file.read(limit + 1)
    except (tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError) as error:
        raise ValueError(f"File {str(path)!r} is damaged, or no archive: {error}. Received: {str(path)!r}") from None


def _texts_and_labels(reviews: list[tuple[int, int, str]]) -> tuple[list[str], HostArray]:
    return [text for _, _, text in reviews], np.asarray([label for label, _, _ in reviews], "int32")
