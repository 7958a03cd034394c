"""Data sets of texts in folders."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import HostArray
from portanet.utils.folders import Selection


def text_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",  # noqa: A002 -- as Keras
    verbose: bool = True,
) -> Any:
    """A data set of the `.txt` files in a folder, with a folder in it for each class.

    As `keras.utils.text_dataset_from_directory`, but a `PyDataset`: files are read when a batch is needed.

    Args:
        directory: The folder.
        labels: See `image_dataset_from_directory`.
        label_mode: Likewise.
        class_names: Likewise.
        batch_size: Number of texts in a batch; None for single texts.
        max_length: Number of characters after which texts are cut off.
        shuffle: See `image_dataset_from_directory`.
        seed: Likewise.
        validation_split: Likewise.
        subset: Likewise.
        follow_links: Likewise.
        format: Likewise.
        verbose: Likewise.

    Returns:
        The data set, with attributes `class_names` and `file_paths`; batches are `(texts, labels)`, or texts: NumPy
        arrays of strings.

    Raises:
        ValueError: There are no texts, or arguments contradict each other.
        UnicodeDecodeError: A file is not UTF-8.

    Example:
        >>> import pathlib, tempfile, portanet
        >>> folder = pathlib.Path(tempfile.mkdtemp())
        >>> for name, text in (("bad", "never again"), ("good", "see it")):
        ...     (folder / name).mkdir()
        ...     _ = (folder / name / "1.txt").write_text(text)
        >>> data = portanet.utils.text_dataset_from_directory(folder, shuffle=False)
        Found 2 files belonging to 2 classes.
        >>> data[0]
        (array(['never again', 'see it'], dtype=object), array([0, 1], dtype=int32))
    """
    of = "text_dataset_from_directory"
    checks.choice("format", format, ("tf", "grain"), of)
    if max_length is not None:
        checks.positive_int("max_length", max_length, of)

    def read(paths: list[str]) -> HostArray:
        texts = [pathlib.Path(path).read_text(encoding="utf-8")[:max_length] for path in paths]
        return np.asarray(texts, dtype=object)

    selection = Selection(
        directory, labels, label_mode, class_names, batch_size, shuffle, seed, validation_split, subset, follow_links,
        verbose, of,
    )  # fmt: skip
    return selection.datasets((".txt",), read)
