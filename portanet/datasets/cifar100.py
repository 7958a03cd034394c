"""CIFAR-100: small pictures of a hundred classes (A. Krizhevsky 2009); as `keras.datasets.cifar100`."""

from __future__ import annotations

from portanet import checks
from portanet.datasets.cifar import batches
from portanet.datasets.downloaded import Split, stored


def load_data(label_mode: str = "fine") -> Split:
    """Download CIFAR-100, 169 MB, unless it is stored already (extra `data`), and read it.

    The files are pickles; of these, only arrays, numbers and text are read.

    Args:
        label_mode: `"fine"` for the hundred classes, `"coarse"` for the twenty groups of them.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images, uint8 of shapes (50000, 32, 32, 3) and (10000, 32, 32, 3), and
        classes, int64 of shapes (50000, 1) and (10000, 1).

    Raises:
        OSError: The file cannot be downloaded, or is not the expected one.

    Example:
        >>> (x, y), (x_test, y_test) = load_data()  # doctest: +SKIP
    """
    label_mode = checks.choice("label_mode", label_mode, ("fine", "coarse"), "load_data")
    names = ["cifar-100-python/train", "cifar-100-python/test"]
    (x, y), test = batches(stored("cifar-100-python.tar.gz"), names, f"{label_mode}_labels".encode())
    return (x, y), test
