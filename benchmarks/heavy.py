"""Heavy workloads on NumPy beside PyTorch: training steps (forward, backward, Adam) and inference.

`python -m benchmarks.heavy` runs all of them, on two threads, five times; `python -m benchmarks.heavy WORKLOAD...` only
those. `--write` puts the results into the pages. `--keras` adds Keras on JAX, `--chainer PYTHON` Chainer, see
`benchmarks.heavy_chainer`; `--backend NAME` portanet on another backend, whose results have a page of their own.

PyTorch is eager; inference is `predict_on_batch`, which checks its data and returns NumPy arrays, beside a call of
PyTorch's module. Libraries run in separate processes, as they do for their users: threads would interfere, and portanet
makes the C library retain freed memory, which would speed the others up.
"""

from __future__ import annotations

import argparse
import functools
import math
import pathlib
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np

from benchmarks import heavy_attention as attention
from benchmarks import heavy_feedforward as feedforward
from benchmarks import heavy_large as large
from benchmarks import heavy_sequences as sequences
from benchmarks import limits, timing
from benchmarks.pages import Row, beside, environment, report, targets
from benchmarks.timing import RUNS, THREADS, Median, Process, Step, in_runs, seconds, serve, steps_of, use_threads

OWN, PEER = "portanet", "torch"
TRAINING, INFERENCE = "training", "inference"


@dataclass(frozen=True)
class Workload:
    """A workload in each library.

    Args:
        title: What it is, with its sizes.
        shape: Shape of the inputs.
        portanet: Makes the model's layers from the module of layers.
        torch: Makes the module from `torch.nn`.
        flops: Multiplications and additions in the matrix products of inference, and of a training step.
        targets: The greatest ratio to PyTorch's time, for what is measured: training, inference.
        keras: As `portanet`, for Keras.
        channels_first: Whether PyTorch's inputs have their channels before their places.
        words: Inputs are integers below this; 0 for floats.
    """

    title: str
    shape: tuple[int, ...]
    portanet: Callable[[Any], list[Any]]
    torch: Callable[[Any], Any]
    flops: dict[str, float]
    targets: dict[str, float]
    keras: Callable[[Any], list[Any]] | None = None
    channels_first: bool = False
    words: int = 0


def data(shape: tuple[int, ...], words: int = 0) -> tuple[Any, Any]:
    """Inputs and classes, the same for all libraries."""
    generator = np.random.default_rng(0)
    x = generator.integers(0, words, shape) if words else generator.standard_normal(shape).astype("float32")
    return x, generator.integers(0, 10, shape[0])


# A step in each library


def portanet_step(workload: Workload, kind: str) -> Step:
    """A step on the backend that PORTANET_BACKEND names: as in `fit`, with prepared data, or `predict_on_batch`."""
    import portanet
    from portanet.training import TrainingRun

    x, y = map(portanet.asarray, data(workload.shape, workload.words))
    model = portanet_model(workload)
    if kind == INFERENCE:
        return lambda: model.predict_on_batch(x)
    run, synchronize = TrainingRun(model), portanet.get_backend().synchronize

    def step() -> None:
        run(x, y)
        synchronize()

    return step


def portanet_model(workload: Workload) -> Any:
    """The compiled model."""
    import portanet
    from portanet import layers

    inputs = layers.Input(workload.shape[1:], dtype="int32" if workload.words else None)
    model = portanet.Sequential([inputs, *workload.portanet(layers)])
    model.compile("adam", portanet.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def torch_step(workload: Workload, kind: str) -> Step:
    """The same for PyTorch, eager."""
    import torch

    x, y = data(workload.shape, workload.words)
    net = workload.torch(torch.nn)
    inputs = torch.from_numpy(np.moveaxis(x, -1, 1).copy() if workload.channels_first else x)
    if kind == INFERENCE:
        net.eval()

        def infer() -> None:
            with torch.inference_mode():
                net(inputs)

        return infer
    optimizer, labels = torch.optim.Adam(net.parameters()), torch.from_numpy(y)

    def step() -> None:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(inputs), labels).backward()
        optimizer.step()

    return step


def keras_step(workload: Workload, kind: str) -> Step:
    """The same for Keras, on the backend named by KERAS_BACKEND."""
    import keras

    assert workload.keras is not None
    x, y = data(workload.shape, workload.words)
    model = keras.Sequential([keras.Input(workload.shape[1:]), *workload.keras(keras.layers)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return (lambda: model.predict_on_batch(x)) if kind == INFERENCE else (lambda: model.train_on_batch(x, y))


LIBRARIES = {"portanet": portanet_step, "torch": torch_step, "keras": keras_step}


def step_of(library: str, task: str) -> Step:
    """The step of a task, which is the name of a workload and what is measured."""
    if library == "machine":
        return limits.STEPS[task]()
    name, _, kind = task.partition(": ")
    return LIBRARIES[library](WORKLOADS[name], kind)


# The workloads


def products(first: float, others: float) -> dict[str, float]:
    """Multiplications and additions: of inference, and of training.

    Training takes three times as many, but twice in products with the inputs, which need no gradient.
    """
    return {INFERENCE: 2 * (first + others), TRAINING: 2 * (2 * first + 3 * others)}


WORKLOADS = {
    "mlp": Workload(
        "MLP 784-512-512-10, batch 128",
        (128, 784),
        feedforward.mlp_layers,
        feedforward.mlp_torch,
        products(128 * 784 * 512, 128 * (512 * 512 + 512 * 10)),
        {TRAINING: 0.7, INFERENCE: 1.0},
        feedforward.mlp_layers,
    ),
    "cnn": Workload(
        "CNN of Ketkar 7-7, batch 128",
        feedforward.CNN,
        feedforward.cnn_layers,
        feedforward.cnn_torch,
        products(128 * 26 * 26 * 9 * 32, 128 * (24 * 24 * 9 * 32 * 32 + 4608 * 128 + 128 * 10)),
        {TRAINING: 0.85, INFERENCE: 1.0},
        feedforward.cnn_layers,
        channels_first=True,
    ),
    "conv": Workload(
        "Conv 3x3 64 to 64 on 32x32, batch 32",
        (32, 32, 32, 64),
        feedforward.convolution_layers,
        feedforward.convolution_torch,
        {INFERENCE: 2 * 32 * 32 * 32 * 9 * 64 * 64},
        {INFERENCE: 0.9},
        feedforward.convolution_layers,
        channels_first=True,
    ),
    "lstm": Workload(
        "LSTM 64 to 128, 50 steps, batch 64",
        sequences.SEQUENCE,
        sequences.lstm_layers,
        lambda nn: sequences.recurrent_torch(nn, "LSTM"),
        products(*sequences.recurrent_products(4)),
        {TRAINING: 0.9, INFERENCE: 1.0},
        sequences.lstm_layers,
    ),
    "gru": Workload(
        "GRU 64 to 128, 50 steps, batch 64",
        sequences.SEQUENCE,
        sequences.gru_layers,
        lambda nn: sequences.recurrent_torch(nn, "GRU"),
        products(*sequences.recurrent_products(3)),
        {TRAINING: 0.9, INFERENCE: 1.0},
        sequences.gru_layers,
    ),
    "bidirectional": Workload(
        "Bidirectional LSTM 64 to 2 x 128, 50 steps, batch 64",
        sequences.SEQUENCE,
        sequences.bidirectional_layers,
        lambda nn: sequences.recurrent_torch(nn, "LSTM", bidirectional=True),
        products(*sequences.recurrent_products(4, directions=2)),
        {TRAINING: 0.9, INFERENCE: 1.0},
        sequences.bidirectional_layers,
    ),
    "transformer": Workload(
        "Transformer block d 128, 4 heads, ff 512, 64 steps, batch 32",
        sequences.BLOCK,
        sequences.block_layers,
        sequences.block_torch,
        products(0, sequences.BLOCK_PRODUCTS),
        {TRAINING: 0.8, INFERENCE: 1.0},
        sequences.block_keras,
    ),
    "resnet": Workload(
        "ResNet-18 on 32x32, batch 64",
        (64, *large.RESNET[1:]),
        large.resnet_layers,
        large.resnet_torch,
        products(64 * large.RESNET_FIRST, 64 * large.RESNET_OTHERS),
        {TRAINING: 1.1, INFERENCE: 1.1},
        channels_first=True,
    ),
    "gpt": Workload(
        "GPT block d 256, 4 heads, causal, 256 steps, batch 8",
        *(attention.GPT, attention.gpt_layers, attention.gpt_torch, products(0, attention.GPT_PRODUCTS)),
        targets={TRAINING: 0.9, INFERENCE: 1.0},
    ),
    "minilm": Workload(
        "MiniLM's encoder, 6 layers d 384, 12 heads, 17 tokens, batch 64",
        *(attention.MINILM, attention.minilm_layers, attention.minilm_torch, products(0, attention.MINILM_PRODUCTS)),
        targets={TRAINING: 1.0, INFERENCE: 1.0},
    ),
}


# Memory


def peak_memory(library: str, name: str) -> float:
    """Peak memory of a training step in bytes, measured in a separate process."""
    output = subprocess.check_output([sys.executable, "-m", "benchmarks.heavy", "--memory", library, name], text=True)
    return float(output.split()[-1])


def print_memory(library: str, name: str) -> None:
    """Print the peak memory of three training steps, beyond the memory before the first."""
    step = step_of(library, f"{name}: {TRAINING}")
    use_threads()
    before = resident("VmRSS")
    for _ in range(3):
        step()
    print(resident("VmHWM") - before)


def resident(line: str) -> int:
    """Current (VmRSS) or peak (VmHWM) resident memory of the process in bytes, as Linux reports it."""
    status = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(entry.split()[1]) * 1024 for entry in status if entry.startswith(line))


def traffic(workload: Workload) -> dict[str, float]:
    """Bytes that a step reads and writes at least, if it goes through its layers one after the other.

    What a layer returns is written once and read by the next one; in training the backward pass reads it again, and
    writes and reads its gradient. Weights are read; in training twice, their gradient is written, and Adam reads four
    and writes three arrays of their size.
    """
    import portanet
    from portanet import layers

    handed, call = [0], layers.Layer.__call__

    def counted(layer: Any, *args: Any, **options: Any) -> Any:
        before = handed[0]
        y = call(layer, *args, **options)
        if handed[0] == before and hasattr(y, "shape"):  # it has no layers inside, which were counted
            handed[0] += 4 * math.prod(y.shape)
        return y

    model = portanet_model(workload)
    weights = 4 * sum(math.prod(v.shape) for v in model.trainable_weights)
    with mock.patch.object(layers.Layer, "__call__", counted):
        model(portanet.asarray(data(workload.shape, workload.words)[0]))
    return {INFERENCE: 2 * handed[0] + weights, TRAINING: 5 * handed[0] + 10 * weights}


# Report


def measured(args: argparse.Namespace, names: list[str]) -> dict[str, dict[str, Median]]:
    """Seconds of all tasks in all libraries."""
    serving = functools.partial(steps_of, "benchmarks.heavy", "--serve")
    processes: dict[str, Callable[[], Process]] = {
        "machine": functools.partial(serving, "machine"),
        OWN: functools.partial(serving, "portanet", PORTANET_BACKEND="numpy"),
        PEER: functools.partial(serving, "torch"),
    }
    for backend in args.backend:
        processes[f"{OWN} {backend}"] = functools.partial(serving, "portanet", PORTANET_BACKEND=backend)
    if args.keras:
        flags = f"--xla_cpu_multi_thread_eigen=true intra_op_parallelism_threads={THREADS}"
        processes["keras jax"] = functools.partial(serving, "keras", KERAS_BACKEND="jax", XLA_FLAGS=flags)
    if args.chainer:
        processes["chainer"] = functools.partial(steps_of, "benchmarks.heavy_chainer", python=args.chainer)
    tasks = {task: ["machine"] for task in limits.STEPS}
    for name in names:
        lacking = {"machine"} | (set() if WORKLOADS[name].keras else {"keras jax"})
        for kind in WORKLOADS[name].targets:
            chainer = {"chainer"} - ({"chainer"} if kind == TRAINING and name in ("cnn", "lstm") else set())
            tasks[f"{name}: {kind}"] = [each for each in processes if each not in lacking | chainer]
    return in_runs(processes, tasks, args.runs, args.rounds, args.seconds)


def part(name: str, times: dict[str, dict[str, Median]], memory: bool) -> str:
    """The table of a workload, and where its time goes."""
    workload, bytes_moved = WORKLOADS[name], traffic(WORKLOADS[name])
    flops, bandwidth = limits.rates({task: times[task]["machine"] for task in limits.STEPS})
    rows = []
    for kind, target in workload.targets.items():
        row = beside(kind, times[f"{name}: {kind}"], target, OWN, PEER)
        bounds = {
            "products": seconds(workload.flops[kind] / flops),
            "memory": seconds(bytes_moved[kind] / bandwidth),
        }
        rows.append(Row(row.title, row.result, row.target, {**row.cells, **bounds}))
    if memory and TRAINING in workload.targets:
        own, peer = peak_memory("portanet", name), peak_memory("torch", name)
        cells = {OWN: f"{own / 2**20:.0f} MiB", PEER: f"{peer / 2**20:.0f} MiB"}
        rows.append(Row("peak memory of training", own / peer, 1.0, cells))
    return targets(rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="*", choices=[[], *WORKLOADS], help="by default all")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--seconds", type=float, default=math.inf, help="begin no further run after these")
    parser.add_argument("--rounds", type=int, default=2, help="turns in a run")
    parser.add_argument("--write", action="store_true", help="write the results into the pages")
    parser.add_argument("--keras", action="store_true", help="time Keras on JAX, too")
    parser.add_argument("--backend", action="append", default=[], help="time portanet on this backend, too")
    parser.add_argument("--chainer", metavar="PYTHON", help="Python of an environment with Chainer")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    parser.add_argument("--memory", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        return serve(functools.partial(step_of, args.serve))
    if args.memory:
        return print_memory(*args.memory)
    names = args.workloads or list(WORKLOADS)
    packages = ["numpy", "torch", *(["keras", "jax"] if args.keras else [])]
    environs = environment(*packages)
    times = measured(args, names)
    flops, bandwidth = limits.rates({task: times[task]["machine"] for task in limits.STEPS})
    how = (
        f"{environs}; {len(times['copy']['machine'].values)} runs of {args.rounds} turns, {THREADS} threads; "
        f"a large product at {flops / 1e9:.0f} GFLOP/s, a large copy at {bandwidth / 1e9:.0f} GB/s. "
        "`python -m benchmarks.heavy`"
    )
    if args.backend:
        columns = [OWN, *(f"{OWN} {backend}" for backend in args.backend), PEER]
        kinds = {name: {kind: times[f"{name}: {kind}"] for kind in WORKLOADS[name].targets} for name in names}
        parts = {WORKLOADS[name].title: timing.table("", kinds[name], columns, PEER) for name in names}
        options = "".join(f" --backend {backend}" for backend in args.backend)
        return report("backends", parts, f"{how[:-1]}{options}`", args.write)
    report("heavy", {WORKLOADS[name].title: part(name, times, name == "cnn") for name in names}, how, args.write)
    return None


if __name__ == "__main__":
    main()
