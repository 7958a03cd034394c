"""CIFAR-10: small pictures of ten classes (A. Krizhevsky 2009); as `keras.datasets.cifar10`."""

from __future__ import annotations

import numpy as np

from portanet.datasets.cifar import batches
from portanet.datasets.downloaded import Split, stored


def load_data() -> Split:
    """Download CIFAR-10, 170 MB, unless it is stored already (extra `data`), and read it.

    The files are pickles; of these, only arrays, numbers and text are read. `load_cifar10` reads the binary version.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images, uint8 of shapes (50000, 32, 32, 3) and (10000, 32, 32, 3), and
        classes from 0 to 9, uint8 of shapes (50000, 1) and (10000, 1).

    Raises:
        OSError: The file cannot be downloaded, or is not the expected one.

    Example:
        >>> (x, y), (x_test, y_test) = load_data()  # doctest: +SKIP
    """
    names = [*(f"cifar-10-batches-py/data_batch_{i}" for i in range(1, 6)), "cifar-10-batches-py/test_batch"]
    parts = [(x, y.astype("uint8")) for x, y in batches(stored("cifar-10-python.tar.gz"), names, b"labels")]
    images, labels = zip(*parts[:-1], strict=True)
    return (np.concatenate(images), np.concatenate(labels)), parts[-1]
