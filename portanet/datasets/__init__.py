"""Readers for files of data on disk: no downloads, nothing in them is executed, memory is bounded."""

from portanet.datasets.cifar import load_cifar10, read_cifar
from portanet.datasets.idx import load_mnist, read_idx
from portanet.datasets.text import read_text, read_trec

__all__ = ["load_cifar10", "load_mnist", "read_cifar", "read_idx", "read_text", "read_trec"]
