"""MNIST: handwritten digits (Y. LeCun et al. 1998); as `keras.datasets.mnist`."""

from __future__ import annotations

from portanet import checks
from portanet.datasets.downloaded import Split, stored
from portanet.datasets.pickled import read_npz


def load_data(path: str = "mnist.npz") -> Split:
    """Download MNIST, 11 MB, unless it is stored already (extra `data`), and read it.

    Args:
        path: The name of the file in the cache, see `portanet.utils.get_file`.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images, uint8 of shapes (60000, 28, 28) and (10000, 28, 28), and digits.

    Raises:
        OSError: The file cannot be downloaded, or is not the expected one.

    Example:
        >>> (x, y), (x_test, y_test) = load_data()  # doctest: +SKIP
    """
    x_train, y_train, x_test, y_test = read_npz(
        stored("mnist.npz", checks.path("path", path, "load_data")), "x_train", "y_train", "x_test", "y_test"
    )
    return (x_train, y_train), (x_test, y_test)
