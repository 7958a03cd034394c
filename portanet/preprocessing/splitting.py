"""Splitting of data for training and testing."""

from __future__ import annotations

import math
from numbers import Integral
from typing import Any

import numpy as np

from portanet import checks, random
from portanet.backends import Array, HostArray, backend_class_of, device_of, raw_namespace, to_host


def train_test_split(
    *arrays: Any,
    test_size: float | int = 0.25,
    shuffle: bool = True,
    stratify: Any = None,
    seed: int | None = None,
) -> list[Array]:
    """Split arrays of any library along the first axis into a train and a test set; like scikit-learn's.

    Args:
        arrays: Arrays of the same length: of any library, or lists and pandas objects (which become NumPy arrays).
        test_size: Fraction of the examples in the test set, in (0, 1), or their number.
        shuffle: Whether to draw the test set at random; else it is the last examples.
        stratify: Class labels; both sets then have the same proportions of classes.
        seed: Seed of the draw; by default `portanet.random.get_seed()`.

    Returns:
        `[train, test]` for the first array, then the same for each other one; copies.

    Raises:
        ValueError: The lengths differ, or a set would be empty.

    Example:
        >>> import numpy as np
        >>> train, test = train_test_split(np.arange(8), test_size=2, seed=0)
        >>> sorted([*train.tolist(), *test.tolist()])
        [0, 1, 2, 3, 4, 5, 6, 7]
        >>> test.shape
        (2,)
    """
    if not arrays:
        raise ValueError("Pass at least one array to split. Received: none")
    shuffle = checks.boolean("shuffle", shuffle, "train_test_split")
    inputs = [x if backend_class_of(x) is not None else to_host(x) for x in arrays]
    lengths = [int(x.shape[0]) for x in inputs]
    if len(set(lengths)) > 1:
        raise ValueError(f"The arrays must hold the same number of examples. Received: {lengths}")
    count = lengths[0]
    if isinstance(test_size, Integral):
        test_count = checks.positive_int("test_size", test_size, "train_test_split")
    else:
        test_count = math.ceil(count * checks.number("test_size", test_size, "(0, 1)", "train_test_split"))
    if test_count >= count:
        expected = f"a fraction or a number of examples that leaves some of {count} for training"
        raise checks.invalid("test_size", test_size, expected, "train_test_split")
    if stratify is not None and not shuffle:
        raise ValueError("Argument `stratify` needs shuffle=True. Received: shuffle=False")
    generator = random.host_generator("train_test_split", seed=seed)
    order = generator.permutation(count) if shuffle else np.arange(count)
    if stratify is not None:
        order = _stratify(order, to_host(stratify), test_count)
    parts = []
    for x in inputs:
        parts += [_take(x, order[: count - test_count]), _take(x, order[count - test_count :])]
    return parts


def _stratify(order: HostArray, labels: HostArray, test_count: int) -> HostArray:
    """Reorder examples so that the last `test_count` have the proportions of classes of all."""
    if labels.shape != order.shape:
        raise ValueError(f"Argument `stratify` must hold one label per example. Received: shape {labels.shape}")
    labels = labels[order]
    _, classes, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    exact = sizes * (test_count / len(order))
    counts = np.floor(exact).astype(int)
    # The remainder goes to the classes that lost most by rounding down.
    counts[np.argsort(counts - exact, kind="stable")[: test_count - int(counts.sum())]] += 1
    if (counts == 0).any() or (counts == sizes).any():
        raise ValueError(
            "Every class needs an example in both sets: pass more examples of the rare classes, or another test_size. "
            f"Received: classes of {sizes.tolist()} examples and {test_count} for the test set"
        )
    ranks = np.zeros(len(order), dtype=int)
    for i, size in enumerate(sizes):
        ranks[classes == i] = np.arange(size)
    in_test = ranks < counts[classes]
    return np.concatenate([order[~in_test], order[in_test]])


def _take(x: Array, order: HostArray) -> Array:
    xp = raw_namespace(x)
    return xp.take(x, xp.asarray(order.astype("int32" if len(order) < 2**31 else "int64"), device=device_of(x)), axis=0)
