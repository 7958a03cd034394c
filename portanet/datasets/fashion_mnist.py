"""Fashion-MNIST: articles of clothing (H. Xiao et al. 2017); as `keras.datasets.fashion_mnist`."""

from __future__ import annotations

from portanet.backends import HostArray
from portanet.datasets.downloaded import Split, stored
from portanet.datasets.idx import read_idx


def load_data() -> Split:
    """Download Fashion-MNIST, 31 MB, unless it is stored already (extra `data`), and read it.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: images, uint8 of shapes (60000, 28, 28) and (10000, 28, 28), and classes
        from 0 to 9.

    Raises:
        OSError: A file cannot be downloaded.

    Example:
        >>> (x, y), (x_test, y_test) = load_data()  # doctest: +SKIP
    """

    def read(kind: str) -> tuple[HostArray, HostArray]:
        names = (f"{kind}-images-idx3-ubyte.gz", f"{kind}-labels-idx1-ubyte.gz")
        images, labels = (read_idx(stored(name, subfolder="datasets/fashion-mnist")) for name in names)
        return images, labels

    return read("train"), read("t10k")
