"""Readers for files of data on disk: no downloads, nothing in them is executed, memory is bounded."""

from portanet.datasets.cifar import load_cifar10, read_cifar
from portanet.datasets.idx import load_mnist, map_idx, read_idx
from portanet.datasets.shards import NpyShards
from portanet.datasets.text import read_text, read_trec

__all__ = ["NpyShards", "load_cifar10", "load_mnist", "map_idx", "read_cifar", "read_idx", "read_text", "read_trec"]
