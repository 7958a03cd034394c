"""Training steps (forward, backward, Adam) and single operations on a GPU, portanet beside PyTorch.

`python -m benchmarks.gpu` compares CuPy, with steps as CUDA graphs and without, with PyTorch on `cuda`, eager and with
its whole step as one graph (fused Adam), and with portanet on JAX and PyTorch. `--backend mlx` compares with PyTorch on
`mps` (Apple silicon), `--backend dpnp` with `xpu` (Intel), `--backend torch --device cuda` portanet on PyTorch with
PyTorch itself; `--backend numpy --tiny` tries the script out. Each column is measured in a process of its own, and what
fails is a dash. `--markdown FILE` writes what is known after each column there: a page for `benchmarks/results/`, from
which `python -m benchmarks.pages` takes it into the documents.

Launches are what the host asks of CUDA in a step, as PyTorch's profiler counts them; host ms is the time until a step
returns, when the device was idle; memory is what a workload takes of the device at its peak (with JAX, that of the
largest so far). float32 is float32 everywhere: no library has TF32. With mixed_float16 PyTorch has autocast, and no
loss scale.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import json
import os
import pathlib
import statistics
import subprocess
import sys
import time
import timeit
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import portanet
from benchmarks import heavy, heavy_large
from benchmarks import heavy_feedforward as feedforward
from benchmarks import heavy_sequences as sequences
from benchmarks.gpu_page import page
from benchmarks.pages import environment, machine
from portanet import layers
from portanet.backends import use_backend
from portanet.backends.registry import backend_class
from portanet.training import TrainingRun

Step = Callable[[], Any]
DEVICES = {"cupy": "cuda", "mlx": "mps", "dpnp": "xpu"}
"""PyTorch's device for the GPU of a backend."""
LAUNCHES = ("LaunchKernel", "GraphLaunch", "MemcpyAsync", "MemsetAsync")
"""Calls of CUDA that ask the device for something, by parts of their names."""
OPERATIONS = ("x + x, 4 x 4", "matmul, 4 x 4", "sum, 4 x 4")
SECONDS, LEAST = 225.0, 10.0
"""For all columns, and for each of those that come last."""


WORKLOADS: dict[str, tuple[tuple[int, ...], Callable[[Any], list[Any]], Callable[[Any], Any], str]] = {
    "MLP 784-512-512-10, batch 128": ((128, 784), feedforward.mlp_layers, feedforward.mlp_torch, "float32"),
    "CNN of Ketkar 7-7, batch 128": (feedforward.CNN, feedforward.cnn_layers, feedforward.cnn_torch, "float32"),
    "LSTM 64 to 128, 50 steps, batch 64": (
        sequences.SEQUENCE, sequences.lstm_layers, lambda nn: sequences.recurrent_torch(nn, "LSTM"), "float32",
    ),
    "Transformer block, d 128, 64 steps, batch 32": (
        sequences.BLOCK, sequences.block_layers, sequences.block_torch, "float32",
    ),
    **{
        f"{title}, {policy}": (shape, ours, theirs, policy)
        for title, shape, ours, theirs in (
            ("GPT, 2 blocks of d 768, T 256, batch 16", heavy_large.GPT, heavy_large.gpt_layers, heavy_large.gpt_torch),
            ("ResNet-18, 32x32, batch 256", heavy_large.RESNET, heavy_large.resnet_layers, heavy_large.resnet_torch),
        )
        for policy in ("float32", "mixed_float16")
    },
}  # fmt: skip


def columns(backend: str, device: str) -> dict[str, list[str]]:
    """What is compared: by title, the library and how it runs, in the order of worth."""
    found = {
        f"portanet {backend}": ["portanet", backend, "auto", device],
        f"torch {device}": ["torch", "", "eager", device],
    }
    if device == "cuda":
        found[f"torch {device}, graph, fused Adam"] = ["torch", "", "graph", device]
    if device == "cuda" or backend == "numpy":
        found[f"portanet {backend}, not recorded"] = ["portanet", backend, "eager", device]
        found |= {
            f"portanet {name}": ["portanet", name, "auto", device] for name in ("jax", "torch") if name != backend
        }
    return found


def backend_on(name: str, device: str) -> Any:
    """The backend, on PyTorch's device of that name where it is PyTorch."""
    return portanet.backends.make_backend(name, device if name == "torch" else None)


def portanet_step(backend: Any, how: str, title: str, tiny: bool) -> tuple[Step, Step]:
    """The training step of `fit`, with data on the device, and what waits for it."""
    shape, make, _, policy = WORKLOADS[title]
    x, y = heavy.data((2, *shape[1:]) if tiny else shape)
    with use_backend(backend), _policy(policy):
        model = portanet.Sequential([layers.Input(shape[1:]), *make(layers)])
        loss = portanet.losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile("adam", loss, jit_compile="auto" if how == "auto" else False)
        run = TrainingRun(model)
        inputs, labels = portanet.asarray(x), portanet.asarray(y)

    def step() -> None:
        with use_backend(backend):
            run(inputs, labels)

    return step, backend.synchronize


@contextlib.contextmanager
def _policy(name: str) -> Iterator[None]:
    portanet.mixed_precision.set_global_policy(name)
    try:
        yield
    finally:
        portanet.mixed_precision.set_global_policy(None)


def torch_step(device: str, how: str, title: str, tiny: bool) -> tuple[Step, Step]:
    """The same for PyTorch, eager, or as one CUDA graph with fused Adam."""
    import torch

    torch.backends.cudnn.allow_tf32 = False  # which PyTorch allows by default
    shape, _, make, policy = WORKLOADS[title]
    x, y = heavy.data((2, *shape[1:]) if tiny else shape)
    net = make(torch.nn).to(device)
    x = np.moveaxis(x, -1, 1).copy() if len(shape) == 4 else x
    inputs, labels = torch.from_numpy(x).to(device), torch.from_numpy(y).to(device)
    graph = how == "graph"
    optimizer = torch.optim.Adam(net.parameters(), **({"fused": True, "capturable": True} if graph else {}))
    half = torch.float16 if device == "cuda" else torch.bfloat16

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        with torch.autocast(device, half, enabled=policy != "float32"):
            loss = torch.nn.functional.cross_entropy(net(inputs), labels)
        loss.backward()
        optimizer.step()

    def wait() -> None:
        if device != "cpu":
            torch.accelerator.synchronize(device)

    return (_recorded(step) if graph else step), wait


def _recorded(step: Step) -> Step:
    """A step of PyTorch as one CUDA graph."""
    import torch

    aside = torch.cuda.Stream()
    aside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(aside):
        for _ in range(3):
            step()
    torch.cuda.current_stream().wait_stream(aside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    replay: Step = graph.replay
    return replay


def launches(step: Step, wait: Step) -> int | None:
    """How often the host asks CUDA for something in a step; None where PyTorch cannot count it."""
    try:
        import torch

        if not torch.cuda.is_available():
            return None
        kinds = [torch.profiler.ProfilerActivity.CPU, torch.profiler.ProfilerActivity.CUDA]
        with torch.profiler.profile(activities=kinds) as profile:
            step()
            wait()
        names = [event.name for event in profile.events()]
    except Exception as error:
        print(f"launches are not counted: {error}", file=sys.stderr)
        return None
    return sum(name.startswith("cu") and any(part in name for part in LAUNCHES) for name in names)


class Memory:
    """What a workload takes of the device's memory, from when this is made; that of earlier ones is freed.

    Args:
        kind: The library.
        backend: The backend, where it is portanet's.
    """

    def __init__(self, kind: str, backend: Any = None) -> None:
        gc.collect()
        self.kind, self.backend = kind, backend
        self.before, self.most = 0.0, 0.0
        if kind == "torch":
            import torch

            if torch.cuda.is_available():
                torch.cuda.empty_cache()
                torch.cuda.reset_peak_memory_stats()
        elif kind == "cupy":
            import cupy

            cupy.get_default_memory_pool().free_all_blocks()
            self.before = self._taken()

    def _taken(self) -> float:
        """Of the device in all: CuPy's pools, those of graphs among them, and its libraries' memory."""
        free, total = self.backend.device.mem_info
        return float(total - free)

    def look(self) -> float | None:
        """MiB that were taken at most when this was called; None where the library cannot tell."""
        if self.kind == "torch":
            import torch

            self.most = torch.cuda.max_memory_reserved() if torch.cuda.is_available() else 0.0
        elif self.kind == "jax":
            self.most = (self.backend.device.memory_stats() or {}).get("peak_bytes_in_use", 0.0)
        elif self.kind == "cupy":
            self.most = max(self.most, self._taken() - self.before)
        return self.most / 2**20 or None


def measured(library: str, name: str, how: str, device: str, title: str, tiny: bool) -> dict[str, float | None]:
    """The figures of a workload in a column."""
    backend = None if library == "torch" else backend_on(name, device)
    memory = Memory(name or library, backend)
    made = torch_step(device, how, title, tiny) if backend is None else portanet_step(backend, how, title, tiny)
    step, wait = made
    for _ in range(1 if tiny else 3):  # compiles, and records
        step()
        wait()
        memory.look()

    def seconds(count: int) -> float:
        start = time.perf_counter()
        for _ in range(count):
            step()
        wait()
        return (time.perf_counter() - start) / count

    count = 1 if tiny else max(2, min(50, round(0.1 / seconds(1))))
    times, hosts = [], []
    for _ in range(1 if tiny else 7):
        times.append(seconds(count))
        start = time.perf_counter()
        step()
        hosts.append(time.perf_counter() - start)
        wait()
    return {
        "ms": 1e3 * statistics.median(times),
        "host ms": 1e3 * statistics.median(hosts),
        "launches": launches(step, wait),
        "memory": memory.look(),
    }


def operations(library: str, name: str, device: str) -> dict[str, Step]:
    """Single operations on a small array: the time that the host takes to start them, the least of several."""
    if library == "torch":
        import torch

        x, xp = torch.ones((4, 4), device=device), torch
    else:
        backend = backend_on(name, device)
        x, xp = backend.from_host(np.ones((4, 4), "float32")), backend.xp
    return dict(zip(OPERATIONS, (lambda: x + x, lambda: xp.matmul(x, x), lambda: xp.sum(x)), strict=True))


def serve(library: str, name: str, how: str, device: str, chosen: list[str], tiny: bool) -> None:
    """Print a line of JSON for each workload, in the order in which they are measured."""

    def line(title: str, figures: Callable[[], Any]) -> None:
        try:
            known = figures()
        except Exception as error:
            known = {"error": f"{type(error).__name__}: {str(error).partition(chr(10))[0][:200]}"}
        print(json.dumps([title, known]), flush=True)

    def least(title: str) -> dict[str, float]:
        calls, turns = (1, 1) if tiny else (20, 50)
        operation = operations(library, name, device)[title]
        return {"ms": 1e3 * min(timeit.timeit(operation, number=calls) for _ in range(turns)) / calls}

    for title in chosen:
        line(title, lambda title=title: measured(library, name, how, device, title, tiny))  # type: ignore[misc]
    for title in OPERATIONS:
        line(title, lambda title=title: least(title))  # type: ignore[misc]


def collected(command: list[str], seconds: float) -> dict[str, Any]:
    """What a process printed until it ended, or its time did."""
    env = {**os.environ, "XLA_PYTHON_CLIENT_PREALLOCATE": "false"}
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.gpu", *command], stdout=subprocess.PIPE, env=env)
    try:
        printed, _ = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        printed, _ = process.communicate()
    lines = printed.decode(errors="replace").splitlines()
    return dict(json.loads(line) for line in lines if line.startswith('["') and line.endswith("}]"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", default="cupy", help="portanet's backend")
    parser.add_argument("--device", help="PyTorch's device; by default the one that the backend computes on")
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, help="for all columns; what is measured by then counts"
    )
    parser.add_argument("--markdown", type=pathlib.Path, help="file for the page")
    parser.add_argument("--tiny", action="store_true", help="two examples and one step, to try the script out")
    parser.add_argument("--workloads", nargs="*", default=list(WORKLOADS), help="those whose titles begin so")
    parser.add_argument("--column", nargs=4, help="measure one column in this process")
    args = parser.parse_args()
    chosen = [title for title in WORKLOADS if title.startswith(tuple(args.workloads))]
    if args.column:
        serve(*args.column, chosen, args.tiny)
        return
    reason = portanet.available_backends().get(args.backend)
    if reason is not None:
        print(f"not run here: {reason}")
        return
    device = args.device or DEVICES.get(args.backend, "cpu")
    packages = dict.fromkeys(["numpy", backend_class(args.backend).library.partition(".")[0]])
    how = f"{environment(*packages)}; {machine()}. `python -m benchmarks.gpu --backend {args.backend}`"
    results: dict[str, dict[str, Any]] = {}
    waiting, end = columns(args.backend, device), time.monotonic() + args.seconds
    for name in list(waiting):
        command = ["--column", *waiting.pop(name), *(["--tiny"] if args.tiny else []), "--workloads", *chosen]
        results[name] = collected(command, end - time.monotonic() - LEAST * len(waiting))
        if args.markdown:
            args.markdown.write_text(page(args.backend, device, results, how))
    print(page(args.backend, device, results, how))


if __name__ == "__main__":
    main()
