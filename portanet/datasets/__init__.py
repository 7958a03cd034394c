"""Data sets: those of Keras, downloaded by `load_data()`, and readers of files on disk.

Nothing in a file is executed, and memory is bounded.
"""

from typing import TYPE_CHECKING

from portanet.datasets import boston_housing, california_housing, cifar10, cifar100, fashion_mnist, imdb, mnist, reuters
from portanet.datasets.cifar import load_cifar10, read_cifar
from portanet.datasets.idx import load_mnist, map_idx, read_idx
from portanet.datasets.shards import NpyShards
from portanet.datasets.text import read_imdb, read_text, read_trec
from portanet.lookup import no_attribute

__all__ = [
    "NpyShards",
    "boston_housing",
    "california_housing",
    "cifar10",
    "cifar100",
    "fashion_mnist",
    "imdb",
    "load_cifar10",
    "load_mnist",
    "map_idx",
    "mnist",
    "read_cifar",
    "read_idx",
    "read_imdb",
    "read_text",
    "read_trec",
    "reuters",
]


if not TYPE_CHECKING:  # which then knows the names

    def __getattr__(name):
        raise no_attribute(__name__, name, __all__)
