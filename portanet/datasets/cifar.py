"""CIFAR-10 and CIFAR-100 (A. Krizhevsky 2009), binary version; the Python version is a pickle, which can run code."""

from __future__ import annotations

import pathlib
import tarfile
import zlib
from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import HostArray
from portanet.datasets.files import LIMIT, read_bytes
from portanet.datasets.pickled import read_pickle

PIXELS = 3 * 32 * 32


def read_cifar(path: Any, labels: int = 1, max_bytes: int = LIMIT) -> tuple[HostArray, HostArray]:
    """One file of CIFAR's binary version.

    Args:
        path: The file, such as `data_batch_1.bin`.
        labels: Labels before each image: 1 in CIFAR-10, 2 (coarse, fine) in CIFAR-100.
        max_bytes: Refuse files that hold more.

    Returns:
        Images, uint8 of shape (examples, 32, 32, 3), and labels, uint8 of shape (examples,) or (examples, 2).

    Raises:
        FileNotFoundError: The file does not exist.
        ValueError: The file does not consist of whole images, or is too large.

    Example:
        >>> images, labels = read_cifar("data_batch_1.bin")  # doctest: +SKIP
    """
    if labels not in (1, 2):
        raise checks.invalid("labels", labels, "1 (CIFAR-10) or 2 (CIFAR-100)", "read_cifar")
    data = read_bytes(path, max_bytes)
    record = labels + PIXELS
    if len(data) == 0 or len(data) % record:
        raise ValueError(
            f"File {str(path)!r} is cut short or not CIFAR's binary version with {labels} label(s): it should hold "
            f"records of {record} bytes. Received: {len(data)} bytes"
        )
    table = np.frombuffer(data, dtype="uint8").reshape(-1, record)
    images = table[:, labels:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), table[:, :labels].copy().reshape((-1,) if labels == 1 else (-1, 2))


def load_cifar10(folder: Any) -> tuple[tuple[HostArray, HostArray], tuple[HostArray, HostArray]]:
    """CIFAR-10 from the folder of its binary version.

    Args:
        folder: The folder of `data_batch_1.bin` to `data_batch_5.bin` and `test_batch.bin`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`, see `read_cifar`.

    Example:
        >>> (x, y), (x_test, y_test) = load_cifar10("cifar-10-batches-bin")  # doctest: +SKIP
    """
    path = pathlib.Path(folder)
    parts = [read_cifar(path / f"data_batch_{i}.bin") for i in range(1, 6)]
    train = np.concatenate([x for x, _ in parts]), np.concatenate([y for _, y in parts])
    return train, read_cifar(path / "test_batch.bin")


def batches(path: pathlib.Path, names: list[str], labels: bytes) -> list[tuple[HostArray, HostArray]]:
    """Images and labels from the Python version, in which each file of a tar archive is a pickled dict.

    Args:
        path: The archive; nothing is extracted to disk.
        names: Files in it.
        labels: The key of the labels.

    Raises:
        ValueError: The archive is damaged, or its files hold something else.
    """
    parts = []
    try:
        with tarfile.open(path) as archive:
            for name in names:
                file = archive.extractfile(name)
                content = read_pickle(b"" if file is None else file.read(LIMIT), f"{name} of {path}")
                images, numbers = content[b"data"], content[labels]
                parts.append((images.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1), np.asarray(numbers).reshape(-1, 1)))
    except (tarfile.TarError, EOFError, zlib.error, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"{path} is damaged, or not CIFAR's Python version: {error}") from None
    return parts
