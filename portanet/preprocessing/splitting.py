"""Data divided into parts for training and testing."""

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
    """Split arrays into two parts along the first axis, all in the same way; like scikit-learn's, for any library.

    Args:
        arrays: Arrays of the same length: of any library, or lists and pandas objects (which give NumPy arrays).
        test_size: Fraction of the examples in the test part, in (0, 1), or their number.
        shuffle: Whether to draw the test part; else it is the last examples.
        stratify: Class labels; every class then has its share in both parts.
        seed: Seed of the draw; by default `portanet.random.get_seed()`.

    Returns:
        `[train, test]` for the first array, then the same for each further one; copies.

    Raises:
        ValueError: The lengths differ, or a part would be empty.

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
    given = [x if backend_class_of(x) is not None else to_host(x) for x in arrays]
    lengths = [int(x.shape[0]) for x in given]
    if len(set(lengths)) > 1:
        raise ValueError(f"The arrays must hold the same number of examples. Received: {lengths}")
    count = lengths[0]
    if isinstance(test_size, Integral):
        wanted = checks.positive_int("test_size", test_size, "train_test_split")
    else:
        wanted = math.ceil(count * checks.number("test_size", test_size, "(0, 1)", "train_test_split"))
    if wanted >= count:
        expected = f"a fraction or a number of examples that leaves some of {count} for training"
        raise checks.invalid("test_size", test_size, expected, "train_test_split")
    if stratify is not None and not shuffle:
        raise ValueError("Stratified parts are drawn; they need shuffle=True. Received: shuffle=False with `stratify`")
    generator = random.host_generator("train_test_split", seed=seed)
    order = generator.permutation(count) if shuffle else np.arange(count)
    if stratify is not None:
        order = _in_shares(order, to_host(stratify), wanted)
    parts = []
    for x in given:
        parts += [_taken(x, order[: count - wanted]), _taken(x, order[count - wanted :])]
    return parts


def _in_shares(order: HostArray, labels: HostArray, wanted: int) -> HostArray:
    """The order rearranged so that every class has its share among the last `wanted` examples."""
    if labels.shape != order.shape:
        raise ValueError(f"Argument `stratify` must hold one label for each example. Received: shape {labels.shape}")
    labels = labels[order]
    _, numbers, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    exact = sizes * (wanted / len(order))
    shares = np.floor(exact).astype(int)
    # What rounding down leaves goes to the classes that lost most by it.
    shares[np.argsort(shares - exact, kind="stable")[: wanted - int(shares.sum())]] += 1
    if (shares == 0).any() or (shares == sizes).any():
        raise ValueError(
            "Every class needs an example in both parts: have more examples of the rare classes, or another test_size. "
            f"Received: classes of {sizes.tolist()} examples and {wanted} for the test part"
        )
    places = np.zeros(len(order), dtype=int)
    for number in range(len(sizes)):
        mine = numbers == number
        places[mine] = np.arange(sizes[number])
    in_test = places < shares[numbers]
    return np.concatenate([order[~in_test], order[in_test]])


def _taken(x: Array, order: HostArray) -> Array:
    xp = raw_namespace(x)
    return xp.take(x, xp.asarray(order.astype("int32" if len(order) < 2**31 else "int64"), device=device_of(x)), axis=0)
