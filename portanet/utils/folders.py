"""Data sets of files in folders, one per class."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from portanet import checks, random
from portanet.backends import HostArray
from portanet.utils.examples import Examples

LABEL_MODES = ("int", "categorical", "binary")
SUBSETS = ("training", "validation", "both")


class FolderDataset(Examples):
    """Batches of files: `(x, labels)`, or `x` without labels.

    Args:
        file_paths: The files.
        labels: Their labels as numbers; None for none.
        class_names: The names of the classes.
        read: Makes arrays or texts of files.
        label_mode: `"int"`, `"categorical"` or `"binary"`.
        batch_size: Number of files in a batch; None for single files.
        seed: By which files are shuffled after each epoch; None to leave their order.

    Attributes:
        class_names: The names of the classes, by their numbers.
        file_paths: The files, in the order of the first epoch.
    """

    def __init__(
        self,
        file_paths: list[str],
        labels: HostArray | None,
        class_names: list[str] | None,
        read: Callable[[list[str]], Any],
        label_mode: str | None,
        batch_size: int | None,
        seed: int | None,
    ) -> None:
        targets = None if labels is None else _in_mode(labels, label_mode, len(class_names or ()))
        generator = None if seed is None else np.random.RandomState(seed)
        super().__init__(np.arange(len(file_paths)), targets, batch_size, generator)
        self.class_names, self.file_paths, self._read = class_names, file_paths, read

    def _inputs(self, chosen: HostArray) -> Any:
        """The contents of files."""
        return self._read([self.file_paths[i] for i in chosen])


@dataclass(frozen=True)
class Selection:
    """What files of a folder are in a data set; the arguments are those of `image_dataset_from_directory`."""

    directory: Any
    labels: Any
    label_mode: str | None
    class_names: Sequence[str] | None
    batch_size: int | None
    shuffle: bool
    seed: int | None
    validation_split: float | None
    subset: str | None
    follow_links: bool
    verbose: bool
    of: str

    def datasets(self, endings: tuple[str, ...], read: Callable[[list[str]], Any]) -> Any:
        """The data set, or for subset "both" the pair of them.

        Args:
            endings: Of the files.
            read: Makes arrays or texts of files.
        """
        seed = self._checked()
        paths, labels, names = self._indexed(endings)
        if self.label_mode == "binary" and labels is not None and len(names or ()) != 2:
            raise checks.invalid("label_mode", "binary", f"another one for {len(names or ())} classes", self.of)
        if self.shuffle:  # both in the same order
            np.random.RandomState(seed).shuffle(paths)
            if labels is not None:
                np.random.RandomState(seed).shuffle(labels)
        again = seed if self.shuffle else None

        def dataset(start: int | None, stop: int | None, reshuffled: int | None) -> FolderDataset:
            part = paths[start:stop]
            if not part:
                raise ValueError(
                    f"No files for {self.of} in {self.directory}; they end in {', '.join(endings)}. Received: {self!r}"
                )
            own = None if labels is None else labels[start:stop]
            return FolderDataset(part, own, names, read, self.label_mode, self.batch_size, reshuffled)

        if not self.validation_split:
            return dataset(None, None, again)
        count = int(self.validation_split * len(paths))
        parts = {"training": (0, len(paths) - count), "validation": (len(paths) - count, len(paths))}
        if self.verbose:
            self._say(f"Using {len(paths) - count} files for training, {count} for validation.")
        if self.subset == "both":
            return dataset(*parts["training"], again), dataset(*parts["validation"], None)
        return dataset(*parts[str(self.subset)], again)

    def _checked(self) -> int:
        of = self.of
        if self.labels not in ("inferred", None) and not isinstance(self.labels, (list, tuple)):
            raise checks.invalid("labels", self.labels, "'inferred', None or a list of numbers, one per file", of)
        if self.label_mode is not None:
            checks.choice("label_mode", self.label_mode, LABEL_MODES, of)
        if self.class_names is not None and self.labels != "inferred":
            raise checks.invalid("class_names", self.class_names, "None unless labels='inferred'", of)
        if self.batch_size is not None:
            checks.positive_int("batch_size", self.batch_size, of)
        for name in ("shuffle", "follow_links", "verbose"):
            checks.boolean(name, getattr(self, name), of)
        if self.subset is not None:
            checks.choice("subset", self.subset, SUBSETS, of)
        if self.validation_split is not None:
            checks.number("validation_split", self.validation_split, "(0, 1)", of)
        if (self.validation_split is None) != (self.subset is None):
            raise ValueError(
                f"Arguments `validation_split` and `subset` of {of} are given together. "
                f"Received: validation_split={self.validation_split}, subset={self.subset!r}"
            )
        if self.validation_split is not None and self.shuffle and self.seed is None:
            raise checks.invalid("seed", None, "a number, so that both subsets are those of one order", of)
        if self.seed is None:
            return random.get_seed() % 2**32
        return checks.integer("seed", self.seed, of, least=0)

    def _indexed(self, endings: tuple[str, ...]) -> tuple[list[str], HostArray | None, list[str] | None]:
        """Files in alphabetic order, folder by folder, with their labels, and the names of the classes."""
        root = pathlib.Path(checks.path("directory", self.directory, self.of))
        if not root.is_dir():
            raise FileNotFoundError(f"{self.of} needs a folder. Received: directory={str(root)!r}")
        if self.labels != "inferred":
            paths = list(self._files(root, endings))
            given = None if self.labels is None or self.label_mode is None else np.asarray(self.labels)
            if given is not None and given.shape != (len(paths),):
                raise checks.invalid("labels", self.labels, f"one number for each of {len(paths)} files", self.of)
            names = None if given is None else [str(label) for label in np.unique(given)]
            self._tell(paths, names)
            return paths, given, names
        found = sorted(each.name for each in root.iterdir() if each.is_dir() and not each.name.startswith("."))
        classes = found if self.class_names is None else list(self.class_names)
        unknown = [name for name in classes if name not in found]
        if unknown:
            raise checks.invalid("class_names", classes, f"names of the folders {found}", self.of)
        files = [list(self._files(root / name, endings)) for name in classes]
        paths = [path for several in files for path in several]
        labels = np.repeat(np.arange(len(classes), dtype="int32"), [len(several) for several in files])
        self._tell(paths, classes)
        return (paths, labels, classes) if self.label_mode is not None else (paths, None, None)

    def _files(self, folder: pathlib.Path, endings: tuple[str, ...]) -> Any:
        for where, _, names in sorted(os.walk(folder, followlinks=self.follow_links), key=lambda entry: entry[0]):
            yield from (os.path.join(where, name) for name in sorted(names) if name.lower().endswith(endings))

    def _tell(self, paths: list[str], classes: list[str] | None) -> None:
        of_classes = "" if classes is None else f" belonging to {len(classes)} classes"
        self._say(f"Found {len(paths)} files{of_classes}.")

    def _say(self, text: str) -> None:
        if self.verbose:
            print(text)


def _in_mode(labels: HostArray, mode: str | None, classes: int) -> HostArray:
    if mode == "binary":
        return labels.astype("float32")[:, None]
    return np.eye(classes, dtype="float32")[labels] if mode == "categorical" else labels
