"""Matrix products of the heavy workloads, in NumPy and in PyTorch: `python -m benchmarks.products`.

NumPy's products are OpenBLAS's, PyTorch's those of oneDNN and MKL. Where they differ, so does what a library on NumPy
can reach: the ratio is the limit of a workload that is nothing but products.
"""

from __future__ import annotations

import argparse
import functools
from typing import Any

import numpy as np

from benchmarks.pages import beside, environment, report, targets
from benchmarks.timing import RUNS, Step, in_runs, serve, steps_of

TASKS = {
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


def factors(task: str) -> list[np.ndarray]:
    """The factors of a product."""
    generator = np.random.default_rng(0)
    return [generator.standard_normal(shape, dtype="float32") for shape in TASKS[task]]


def numpy_product(task: str) -> Step:
    """A product in NumPy, into memory that is there."""
    a, b = factors(task)
    out = a @ b
    return lambda: np.matmul(a, b, out=out)


def torch_product(task: str) -> Step:
    """The same in PyTorch."""
    import torch

    a, b = map(torch.from_numpy, factors(task))
    out = a @ b
    return lambda: torch.matmul(a, b, out=out)


MAKERS: dict[str, Any] = {"numpy": numpy_product, "torch": torch_product}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--write", action="store_true", help="write the results into the pages")
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        library, threads = args.serve
        return serve(MAKERS[library], int(threads), turn=0.05)
    how = f"{environment('numpy', 'torch')}; {args.runs} runs. `python -m benchmarks.products`"
    parts = {}
    for threads in ("1", "2"):
        processes = {
            name: functools.partial(steps_of, "benchmarks.products", "--serve", name, threads) for name in MAKERS
        }
        times = in_runs(processes, {task: list(MAKERS) for task in TASKS}, args.runs)
        rows = [
            beside(f"{task}: {' by '.join(map(str, TASKS[task]))}", each, None, "numpy", "torch")
            for task, each in times.items()
        ]
        parts[f"{threads} thread{'s' * (threads > '1')}"] = targets(rows)
    report("products", parts, how, args.write)
    return None


if __name__ == "__main__":
    main()
