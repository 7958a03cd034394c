"""One training step (forward, backward, Adam) of an MLP 784-512-512-10 at batch 128, compared with PyTorch eager.

Also the cost of tracing small arrays, the import time and the installed size: `python -m benchmarks.step`.
"""

from __future__ import annotations

import importlib.metadata
import pathlib
import statistics
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import portanet
from benchmarks.timing import in_turns, interleaved, machine, seconds, serve, steps_of, table, use_threads
from portanet import layers
from portanet.autodiff import vjp
from portanet.backends import use_backend
from portanet.training import TrainingRun

generator = np.random.default_rng(0)
X = generator.standard_normal((128, 784)).astype("float32")
Y = generator.integers(0, 10, 128)


def portanet_step() -> Callable[[], Any]:
    """The training step of `fit` with prepared data."""
    with use_backend("numpy"):
        model = portanet.Sequential([layers.Input((784,)), layers.Dense(512, "relu"), layers.Dense(512, "relu")])
        model.add(layers.Dense(10))
        model.compile("adam", portanet.losses.SparseCategoricalCrossentropy(from_logits=True))
        run = TrainingRun(model)
    return lambda: run(X, Y)


def torch_step() -> Callable[[], Any]:
    """The same in PyTorch."""
    import torch
    from torch import nn

    net = nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
    optimizer = torch.optim.Adam(net.parameters())
    x, y = torch.from_numpy(X), torch.from_numpy(Y)

    def step() -> None:
        optimizer.zero_grad()
        nn.functional.cross_entropy(net(x), y).backward()
        optimizer.step()

    return step


def tiny(operation: Callable[[Any], Any], count: int = 100) -> Callable[[], Any]:
    """Record `count` operations on an array of three elements."""
    x = np.ones(3, dtype="float32")

    def chain(x: Any) -> Any:
        for _ in range(count):
            x = operation(x)
        return x

    return lambda: vjp(chain, x)


def import_seconds(module: str, runs: int = 7) -> float:
    """Median seconds to import a module in a new interpreter."""
    code = f"import time; t = time.perf_counter(); import {module}; print(time.perf_counter() - t)"
    return statistics.median(float(subprocess.check_output([sys.executable, "-c", code])) for _ in range(runs))


def installed_size() -> int:
    """Size of the package's Python files in bytes."""
    return sum(f.stat().st_size for f in pathlib.Path(portanet.__file__).parent.rglob("*.py"))


def main() -> None:
    if sys.argv[1:] == ["--serve"]:
        return serve(torch_step())
    step = portanet_step()
    use_threads(2)
    with steps_of("benchmarks.step", "--serve") as torch:
        medians = in_turns({"portanet numpy": step}, {"torch": torch}, rounds=30)
    print(machine("numpy", "torch", "array-api-compat"))
    print()
    print(table("training step", {"MLP 784-512-512-10, batch 128, Adam": medians}, list(medians), "torch"))
    print(f"\nSpeed relative to PyTorch eager: {medians['torch'] / medians['portanet numpy']:.2f}x")

    operations = {
        "x * 1.5": lambda x: x * 1.5,
        "x * x": lambda x: x * x,
        "xp.exp(x * 0)": lambda x: x.__array_namespace__().exp(x) * 0,
    }
    print("\nRecording on arrays of 3 elements, per operation:")
    for name, time in interleaved({n: tiny(f) for n, f in operations.items()}, rounds=20).items():
        print(f"  {name:<14} {seconds(time / (200 if 'exp' in name else 100))}")

    numpy_time, portanet_time = import_seconds("numpy"), import_seconds("portanet")
    print(f"\nimport numpy {seconds(numpy_time)}, import portanet {seconds(portanet_time - numpy_time)} more")
    core = [r for r in importlib.metadata.requires("portanet") or [] if "extra" not in r]
    print(f"portanet's files: {installed_size() / 1024:.0f} KiB; it requires {', '.join(core)}")


if __name__ == "__main__":
    main()
