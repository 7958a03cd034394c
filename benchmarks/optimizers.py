"""One step of each optimizer on the 669,706 parameters of a 784-512-512-10 network, compared with PyTorch.

Run: python -m benchmarks.optimizers [--threads 2]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from benchmarks.timing import interleaved, machine, table, use_threads
from portanet import optimizers

SHAPES = {"1/kernel": (784, 512), "1/bias": (512,), "2/kernel": (512, 512), "2/bias": (512,)}
SHAPES |= {"3/kernel": (512, 10), "3/bias": (10,)}

TASKS: dict[str, tuple[Callable[[], Any], Callable[..., Any] | None]] = {
    "SGD": (optimizers.SGD, lambda p, **o: torch.optim.SGD(p, 0.01, **o)),
    "SGD, momentum": (
        lambda: optimizers.SGD(0.01, momentum=0.9),
        lambda p, **o: torch.optim.SGD(p, 0.01, momentum=0.9, **o),
    ),
    "Adagrad": (optimizers.Adagrad, lambda p, **o: torch.optim.Adagrad(p, **o)),
    "RMSprop": (optimizers.RMSprop, lambda p, **o: torch.optim.RMSprop(p, **o)),
    "Adadelta": (optimizers.Adadelta, lambda p, **o: torch.optim.Adadelta(p, **o)),
    "Adam": (optimizers.Adam, lambda p, **o: torch.optim.Adam(p, **o)),
    "AdamW": (optimizers.AdamW, lambda p, **o: torch.optim.AdamW(p, **o)),
    "Adamax": (optimizers.Adamax, lambda p, **o: torch.optim.Adamax(p, **o)),
    "Nadam": (optimizers.Nadam, lambda p, **o: torch.optim.NAdam(p, **o)),
    "Rprop": (optimizers.Rprop, lambda p, **o: torch.optim.Rprop(p, **o)),
    "Lion": (optimizers.Lion, None),
    "Lamb": (optimizers.Lamb, None),
    "Adafactor": (optimizers.Adafactor, None),
}


def portanet_step(make: Callable[[], Any], convert: Callable[[Any], Any]) -> Callable[[], None]:
    rng = np.random.default_rng(0)
    params = {path: convert(rng.standard_normal(shape, dtype="float32")) for path, shape in SHAPES.items()}
    grads = {path: convert(rng.standard_normal(shape, dtype="float32")) for path, shape in SHAPES.items()}
    optimizer = make()
    state = optimizer.init(params)

    def step() -> None:
        nonlocal params, state
        params, state = optimizer.update(params, grads, state)

    return step


def torch_step(make: Callable[..., Any], **options: Any) -> Callable[[], None]:
    params = [torch.randn(shape, requires_grad=True) for shape in SHAPES.values()]
    for p in params:
        p.grad = torch.randn_like(p)
    optimizer = make(params, **options)

    def step() -> None:
        optimizer.step()

    return step


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--threads", type=int, default=2, help="use 1 on a busy machine, where PyTorch's threads wait for each other"
    )
    use_threads(parser.parse_args().threads)
    print(machine("numpy", "torch"), "\n")
    columns = ["portanet on NumPy", "portanet on PyTorch", "torch.optim", "torch.optim, foreach"]
    results = {}
    for name, (make, make_torch) in TASKS.items():
        contestants = {columns[0]: portanet_step(make, np.array), columns[1]: portanet_step(make, torch.from_numpy)}
        if make_torch is not None:
            contestants |= {columns[2]: torch_step(make_torch), columns[3]: torch_step(make_torch, foreach=True)}
        results[name] = interleaved(contestants, rounds=7, turn=0.01)
    print(table("one step", results, columns, columns[2]))


if __name__ == "__main__":
    main()
