"""Prices of houses near Boston (D. Harrison and D. Rubinfeld 1978); as `keras.datasets.boston_housing`."""

from __future__ import annotations

from portanet.datasets.california_housing import shuffled_houses
from portanet.datasets.downloaded import Split


def load_data(path: str = "boston_housing.npz", test_split: float = 0.2, seed: int = 113) -> Split:
    """Download the data, 57 kB, unless they are stored already (extra `data`), and read them.

    One of the features assumes that segregation by race influences prices: use other data, unless this is the subject.

    Args:
        path: The name of the file in the cache, see `portanet.utils.get_file`.
        test_split: The share of test data.
        seed: The seed by which places are shuffled before they are divided.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: 13 features of each place, and the median value of its houses in
        thousands of dollars.

    Raises:
        OSError: The file cannot be downloaded, or is not the expected one.

    Example:
        >>> (x, y), (x_test, y_test) = load_data()  # doctest: +SKIP
    """
    return shuffled_houses("boston_housing.npz", path, test_split, seed)
