"""Matrix products of the heavy workloads, in NumPy and in PyTorch: `python -m benchmarks.products`.

NumPy's products are OpenBLAS's, PyTorch's those of oneDNN and MKL. Where they differ, so does what a library on NumPy
can reach: the ratio is the limit of a workload that is nothing but products.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import numpy as np

from benchmarks import threads
from benchmarks.timing import Step

SHAPES = {
    "dense layer": ((128, 784), (784, 512)),
    "dense layer, gradient of the weights": ((784, 128), (128, 512)),
    "LSTM, one time step": ((64, 128), (128, 512)),
    "transformer, hidden layer": ((2048, 128), (128, 512)),
    "transformer, gradient of the weights": ((128, 2048), (2048, 512)),
    "attention, scores": ((32, 4, 64, 32), (32, 4, 32, 64)),
    "convolution": ((32768, 576), (576, 64)),
    "large": ((2048, 1024), (1024, 1024)),
}
"""Shapes of the factors, by where the product is."""


def factors(where: str) -> list[np.ndarray]:
    """The factors of a product."""
    generator = np.random.default_rng(0)
    return [generator.standard_normal(shape, dtype="float32") for shape in SHAPES[where]]


def numpy_product(where: str) -> Step:
    """A product in NumPy, into memory that is there."""
    a, b = factors(where)
    out = a @ b
    return lambda: np.matmul(a, b, out=out)


def torch_product(where: str) -> Step:
    """The same in PyTorch."""
    import torch

    a, b = map(torch.from_numpy, factors(where))
    out = a @ b
    return lambda: torch.matmul(a, b, out=out)


TASKS: dict[str, dict[str, Callable[[], Step]]] = {
    f"{where}: {' by '.join(map(str, shapes))}": {
        "numpy": functools.partial(numpy_product, where),
        "torch": functools.partial(torch_product, where),
    }
    for where, shapes in SHAPES.items()
}

if __name__ == "__main__":
    threads.main("products", __doc__, TASKS, None)
