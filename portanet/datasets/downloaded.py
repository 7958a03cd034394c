"""Where the data sets that `load_data()` downloads are, and their checksums, as published in Keras's source."""

from __future__ import annotations

import pathlib

from portanet.backends import HostArray
from portanet.downloads import cache_folder, fetch

Split = tuple[tuple[HostArray, HostArray], tuple[HostArray, HostArray]]
"""What `load_data()` returns: inputs and targets for training, and for testing."""
STORE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/"
CIFAR = "https://www.cs.toronto.edu/~kriz/"
FILES: dict[str, tuple[str, str]] = {
    "mnist.npz": (STORE, "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"),
    "cifar-10-python.tar.gz": (CIFAR, "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"),
    "cifar-100-python.tar.gz": (CIFAR, "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"),
    "imdb.npz": (STORE, "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"),
    "imdb_word_index.json": (STORE, "bfafd718b763782e994055a2d397834f"),
    "reuters.npz": (STORE, "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"),
    "reuters_word_index.json": (STORE, "4d44cc38712099c9e383dc6e5f11a921"),
    "boston_housing.npz": (STORE, "f553886a1f8d56431e820c5b82552d9d95cfcb96d1e678153f8839538947dff5"),
    "california_housing.npz": (STORE, "1a2e3a52e0398de6463aebe6f4a8da34fb21fbb6b934cf88c3425e766f2a1a6f"),
    "train-labels-idx1-ubyte.gz": (STORE, ""),
    "train-images-idx3-ubyte.gz": (STORE, ""),
    "t10k-labels-idx1-ubyte.gz": (STORE, ""),
    "t10k-images-idx3-ubyte.gz": (STORE, ""),
}
"""The folder of each file on the network, and its SHA-256 or MD5; Keras publishes none for Fashion-MNIST."""


def stored(name: str, path: str | None = None, subfolder: str = "datasets") -> pathlib.Path:
    """A file of `FILES`, downloaded unless it is stored already.

    Args:
        name: Its name on the network.
        path: The name under which it is stored, or an absolute path; by default the same.
        subfolder: The folder of the cache.
    """
    folder, digest = FILES[name]
    target = cache_folder(subfolder) / (name if path is None else path)
    return fetch(folder + name, target.name, target.parent, digest or None)
