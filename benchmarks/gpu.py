"""Training steps (forward, backward, Adam) compared with PyTorch eager on the same GPU: MLP, CNN, LSTM, transformer.

`python -m benchmarks.gpu` compares CuPy with PyTorch on `cuda`. `--backend numpy --device cpu` tests the script on the
CPU; `--backend torch --device cuda` compares portanet on PyTorch with PyTorch itself.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np

import portanet
from benchmarks import heavy
from benchmarks import heavy_sequences as sequences
from benchmarks.timing import interleaved, machine, table
from portanet import layers
from portanet.backends import Backend, use_backend
from portanet.training import TrainingRun

Step = Callable[[], Any]


def mlp_layers(layers: Any) -> list[Any]:
    return [layers.Dense(512, activation="relu"), layers.Dense(512, activation="relu"), layers.Dense(10)]


def mlp_torch(nn: Any) -> Any:
    return nn.Sequential(nn.Linear(784, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))


WORKLOADS: dict[str, tuple[tuple[int, ...], Callable[[Any], list[Any]], Callable[[Any], Any]]] = {
    "MLP 784-512-512-10, batch 128": ((128, 784), mlp_layers, mlp_torch),
    "CNN of Ketkar 7-7, batch 128": (heavy.CNN, heavy.cnn_layers, heavy.cnn_torch),
    "LSTM 64 to 128, 50 steps, batch 64": (sequences.LSTM, sequences.lstm_layers, sequences.lstm_torch),
    "Transformer block, d 128, 64 steps, batch 32": (sequences.BLOCK, sequences.block_layers, sequences.block_torch),
}


def portanet_step(
    backend: Backend, make: Callable[[Any], list[Any]], shape: tuple[int, ...]
) -> tuple[Step, Callable[[], Any]]:
    """The training step of `fit` with data on the device, and a function that waits for the device."""
    x, y = heavy.data(shape)
    with use_backend(backend):
        model = portanet.Sequential([layers.Input(shape[1:]), *make(layers)])
        model.compile("adam", portanet.losses.SparseCategoricalCrossentropy(from_logits=True))
        run = TrainingRun(model)
        inputs, labels = portanet.asarray(x), portanet.asarray(y)

    def step() -> None:
        with use_backend(backend):
            run(inputs, labels)

    return step, backend.synchronize


def torch_step(device: str, make: Callable[[Any], Any], shape: tuple[int, ...]) -> tuple[Step, Callable[[], Any]]:
    """The same for PyTorch, eager."""
    import torch

    x, y = heavy.data(shape)
    net = make(torch.nn).to(device)
    optimizer = torch.optim.Adam(net.parameters())
    x = np.moveaxis(x, -1, 1).copy() if len(shape) == 4 else x
    inputs, labels = torch.from_numpy(x).to(device), torch.from_numpy(y).to(device)

    def step() -> None:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(inputs), labels).backward()
        optimizer.step()

    return step, torch.cuda.synchronize if device.startswith("cuda") else lambda: None


def several(step: Step, wait: Callable[[], Any], count: int) -> Step:
    """A function that runs `count` steps and waits for the device."""

    def run() -> None:
        for _ in range(count):
            step()
        wait()

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backend", default="cupy", help="portanet's backend")
    parser.add_argument("--device", default="cuda", help="PyTorch's device")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--steps", type=int, default=20, help="steps per round")
    args = parser.parse_args()
    reason = portanet.available_backends().get(args.backend)
    if reason is not None:
        print(f"not run here: {reason}")
        return
    backend = portanet.backends.make_backend(args.backend, None if args.backend == "cupy" else args.device)
    results = {}
    for title, (shape, make_layers, make_torch) in WORKLOADS.items():
        contestants = {
            f"portanet {args.backend}": portanet_step(backend, make_layers, shape),
            "torch": torch_step(args.device, make_torch, shape),
        }
        turns = {name: several(step, wait, args.steps) for name, (step, wait) in contestants.items()}
        medians = interleaved(turns, args.rounds, turn=0.0, warmup=1)
        results[title] = {name: median / args.steps for name, median in medians.items()}
    used, total = (backend.memory().get(name, 0) / 2**20 for name in ("used", "total"))
    print(f"{machine('numpy', 'torch')}; {backend}\n")
    print(table("forward, backward, Adam", results, [f"portanet {args.backend}", "torch"], "torch"))
    print(f"\nMemory of the device in use: {used:.0f} of {total:.0f} MiB")


if __name__ == "__main__":
    main()
