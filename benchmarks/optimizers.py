"""One step of each optimizer on the 669,706 parameters of a 784-512-512-10 network, compared with PyTorch.

`python -m benchmarks.optimizers`; `--write` puts the results into the pages.
"""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from benchmarks.pages import Row, environment, report, targets
from benchmarks.timing import RUNS, THREADS, Median, Step, in_runs, seconds, serve, steps_of
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


def torch_step(make: Callable[..., Any] | None, **options: Any) -> Callable[[], None]:
    assert make is not None
    params = [torch.randn(shape, requires_grad=True) for shape in SHAPES.values()]
    for p in params:
        p.grad = torch.randn_like(p)
    optimizer = make(params, **options)

    def step() -> None:
        optimizer.step()

    return step


LIBRARIES: dict[str, Callable[[str], Step]] = {
    "portanet on NumPy": lambda name: portanet_step(TASKS[name][0], np.array),
    "portanet on PyTorch": lambda name: portanet_step(TASKS[name][0], torch.from_numpy),
    "torch.optim": lambda name: torch_step(TASKS[name][1]),
    "torch.optim, foreach": lambda name: torch_step(TASKS[name][1], foreach=True),
}
AIMS = dict.fromkeys(("Adam", "AdamW", "SGD, momentum", "RMSprop", "Lion"), 0.9)
"""Greatest milliseconds on NumPy."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--write", action="store_true", help="write the results into the pages")
    parser.add_argument("--serve", choices=LIBRARIES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        return serve(LIBRARIES[args.serve], turn=0.02)
    how = f"{environment('numpy', 'torch')}; {args.runs} runs, {THREADS} threads. `python -m benchmarks.optimizers`"
    processes = {name: functools.partial(steps_of, "benchmarks.optimizers", "--serve", name) for name in LIBRARIES}
    tasks = {task: [name for name in LIBRARIES if peer or "torch." not in name] for task, (_, peer) in TASKS.items()}
    rows = []
    for task, times in in_runs(processes, tasks, args.runs).items():
        own = Median.of([1e3 * value for value in times["portanet on NumPy"].values])
        rows.append(Row(task, own, AIMS.get(task), {name: seconds(time) for name, time in times.items()}, "ms"))
    report("optimizers", {"A step on 669,706 parameters": targets(rows)}, how, args.write)
    return None


if __name__ == "__main__":
    main()
