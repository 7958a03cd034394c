"""Readers of data files on disk: no downloads, no execution of their contents, bounded memory."""

from portanet.datasets.cifar import load_cifar10, read_cifar
from portanet.datasets.idx import load_mnist, map_idx, read_idx
from portanet.datasets.shards import NpyShards
from portanet.datasets.text import read_text, read_trec

__all__ = ["NpyShards", "load_cifar10", "load_mnist", "map_idx", "read_cifar", "read_idx", "read_text", "read_trec"]
