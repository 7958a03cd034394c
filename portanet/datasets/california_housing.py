"""Prices of houses in California (R. Pace and R. Barry 1997); as `keras.datasets.california_housing`."""

from __future__ import annotations

import numpy as np

from portanet import checks
from portanet.datasets.downloaded import Split, stored
from portanet.datasets.pickled import read_npz

__all__ = ["load_data"]


def load_data(
    version: str = "large", path: str = "california_housing.npz", test_split: float = 0.2, seed: int = 113
) -> Split:
    """Download the data, 0.8 MB, unless they are stored already (extra `data`), and read them.

    Args:
        version: `"large"` for 20,640 districts, `"small"` for the first 600.
        path: The name of the file in the cache, see `portanet.utils.get_file`.
        test_split: The share of test data.
        seed: The seed by which districts are shuffled before they are divided.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: eight features of each district, and the median value of its houses in
        dollars.

    Raises:
        OSError: The file cannot be downloaded, or is not the expected one.

    Example:
        >>> (x, y), (x_test, y_test) = load_data()  # doctest: +SKIP
    """
    version = checks.choice("version", version, ("small", "large"), "load_data")
    return shuffled_houses("california_housing.npz", path, test_split, seed, 600 if version == "small" else None)


def shuffled_houses(name: str, path: str, test_split: float, seed: int, rows: int | None = None) -> Split:
    """Features and prices of a stored file, shuffled and divided.

    Args:
        name: The name of the file where it is published.
        path: See `load_data`, as for the next two.
        test_split: The share of test data.
        seed: The seed of the order.
        rows: How many of the first to take; None for all.
    """
    test_split = checks.number("test_split", test_split, "[0, 1)", "load_data")
    seed = checks.integer("seed", seed, "load_data", least=0)
    file = stored(name, checks.path("path", path, "load_data"))
    x, y = (array[:rows] for array in read_npz(file, "x", "y"))
    order = np.arange(len(x))
    np.random.RandomState(seed).shuffle(order)
    count = int(len(x) * (1 - test_split))
    return (x[order[:count]], y[order[:count]]), (x[order[count:]], y[order[count:]])
