"""Parts of a data set."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from portanet import checks
from portanet.backends import HostArray, to_host
from portanet.random import host_generator
from portanet.tree import tree_leaves, tree_map
from portanet.utils.dataset import PyDataset
from portanet.utils.examples import Examples


class Part:
    """Some examples of a data set, by index; `batch` makes batches of them for `fit`.

    Args:
        examples: The examples: trees of arrays.
    """

    def __init__(self, examples: list[Any]) -> None:
        self.examples = examples

    def __len__(self) -> int:
        return len(self.examples)

    def __getitem__(self, index: int) -> Any:
        return self.examples[index]

    def __iter__(self) -> Iterator[Any]:
        return iter(self.examples)

    def batch(self, batch_size: int) -> PyDataset:
        """The examples in batches of this size, in their order."""
        return Batches(self.examples, checks.positive_int("batch_size", batch_size, "batch"))


class Batches(Examples):
    """Batches of examples: host arrays in the form of an example."""

    def __init__(self, examples: list[Any], batch_size: int) -> None:
        super().__init__(np.arange(len(examples)), None, batch_size, None)
        self._examples = examples

    def _inputs(self, chosen: HostArray) -> Any:
        examples = [self._examples[i] for i in chosen]
        columns = zip(*map(tree_leaves, examples), strict=True)
        return tree_map(lambda _: np.stack([np.asarray(to_host(value)) for value in next(columns)]), examples[0])


def split_dataset(
    dataset: Any,
    left_size: float | None = None,
    right_size: float | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    preferred_backend: str | None = None,
) -> tuple[Part, Part]:
    """Split a data set into two parts; as `keras.utils.split_dataset`.

    Args:
        dataset: An array, a tuple, list or dict of arrays of one length, or examples: an object with `__len__` and
            `__getitem__`, such as a data set of PyTorch, or one to iterate over.
        left_size: The number of examples of the first part, or their share, between 0 and 1; by default the rest.
        right_size: Likewise for the second part.
        shuffle: Whether the examples are shuffled before.
        seed: The seed of that; by default that of `portanet.random`.
        preferred_backend: Accepted as in Keras; the parts hold examples of any library.

    Returns:
        The two parts: examples by index, whose method `batch(batch_size)` makes batches for `fit`.

    Example:
        >>> import numpy as np
        >>> left, right = split_dataset((np.arange(10), np.ones((10, 2))), left_size=0.8)
        >>> len(left), len(right), int(right[0][0]), right.batch(2)[0][1].shape
        (8, 2, 8, (2, 2))
    """
    examples = _examples(dataset)
    left, right = _counts(left_size, right_size, len(examples))
    seed = None if seed is None else checks.integer("seed", seed, "split_dataset", least=0)
    if checks.boolean("shuffle", shuffle, "split_dataset"):
        order = host_generator("split_dataset", seed=seed).permutation(len(examples))
        examples = [examples[i] for i in order]
    return Part(examples[:left]), Part(examples[left : left + right])


def _examples(dataset: Any) -> list[Any]:
    leaves = tree_leaves(dataset)
    if leaves and all(hasattr(leaf, "shape") for leaf in leaves):
        sizes = {leaf.shape[0] if leaf.shape else -1 for leaf in leaves}
        if len(sizes) > 1 or -1 in sizes:
            raise ValueError(
                "Argument `dataset` of split_dataset must be arrays of one length, of which examples are the entries. "
                f"Received: arrays of shapes {', '.join(str(tuple(leaf.shape)) for leaf in leaves)}"
            )
        return [tree_map(lambda leaf: leaf[i, ...], dataset) for i in range(*sizes)]  # noqa: B023
    by_index = hasattr(dataset, "__len__") and hasattr(dataset, "__getitem__")
    if isinstance(dataset, (str, dict, type)) or not (by_index or isinstance(dataset, Iterable)):
        raise checks.invalid("dataset", dataset, "arrays, or a data set of examples", "split_dataset")
    return [dataset[i] for i in range(len(dataset))] if by_index else list(dataset)


def _counts(left: Any, right: Any, total: int) -> tuple[int, int]:
    """The numbers of examples in the two parts."""
    if left is None and right is None:
        raise ValueError(
            "Argument `left_size` or `right_size` of split_dataset must be given. Received: left_size=None, "
            "right_size=None"
        )
    first, second = _count("left_size", left, total), _count("right_size", right, total)
    first = total - (second or 0) if first is None else first
    second = total - first if second is None else second
    if first + second > total or first < 1 or second < 1:
        raise ValueError(
            f"The parts of split_dataset must have at least one example each, of {total}. "
            f"Received: left_size={left!r}, right_size={right!r}"
        )
    return first, second


def _count(name: str, size: Any, total: int) -> int | None:
    if size is None:
        return None
    if isinstance(size, (int, np.integer)) and not isinstance(size, bool) and 0 < size < total:
        return int(size)
    if isinstance(size, (float, np.floating)) and 0 < size < 1:
        return round(float(size) * total)
    raise checks.invalid(name, size, f"a share between 0 and 1, or a number of the {total} examples", "split_dataset")
