"""Training steps (forward, backward, Adam) of a CNN, an LSTM and a transformer, compared with PyTorch and Keras.

`python -m benchmarks.heavy` times them in one run on two threads, profiles the CNN and measures the memory of a step.
`python -m benchmarks.heavy WORKLOAD...` runs only those workloads; `--backend NAME` adds portanet on another backend,
`--chainer PYTHON` adds Chainer, see `benchmarks.heavy_chainer`.

PyTorch is eager. PyTorch and Keras (on JAX) run in separate processes, as they do for their users: threads would
interfere, and portanet makes the C library retain freed memory, which would speed them up. A process runs a step when
its turn comes.
"""

from __future__ import annotations

import argparse
import contextlib
import math
import os
import pathlib
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks import heavy_sequences as sequences
from benchmarks.timing import in_turns, interleaved, machine, seconds, serve, steps_of, table, use_threads

THREADS = 2
Step = Callable[[], Any]


@dataclass(frozen=True)
class Workload:
    """A workload in each library, and the target ratio to PyTorch's time.

    `flops` counts the multiplications and additions in matrix products, a lower bound of the time.
    """

    title: str
    portanet: Callable[[], Step]
    torch: Callable[[], Step]
    keras: Callable[[], Step]
    target: float
    flops: float


def data(shape: tuple[int, ...]) -> tuple[Any, Any]:
    """Inputs and classes, the same for all libraries."""
    generator = np.random.default_rng(0)
    return generator.standard_normal(shape).astype("float32"), generator.integers(0, 10, shape[0])


# A training step in each library


def portanet_step(make: Callable[[Any], list[Any]], shape: tuple[int, ...]) -> Step:
    """The training step of `fit` on the backend that PORTANET_BACKEND names, with prepared data."""
    import portanet
    from portanet import layers
    from portanet.training import TrainingRun

    x, y = data(shape)
    model = portanet.Sequential([layers.Input(shape[1:]), *make(layers)])
    model.compile("adam", portanet.losses.SparseCategoricalCrossentropy(from_logits=True))
    run, inputs, labels = TrainingRun(model), portanet.asarray(x), portanet.asarray(y)

    def step() -> None:
        run(inputs, labels)
        portanet.get_backend().synchronize()

    return step


def torch_step(make: Callable[[Any], Any], shape: tuple[int, ...], channels_first: bool = False) -> Step:
    """The same for PyTorch, eager."""
    import torch

    x, y = data(shape)
    net = make(torch.nn)
    optimizer = torch.optim.Adam(net.parameters())
    inputs, labels = torch.from_numpy(np.moveaxis(x, -1, 1).copy() if channels_first else x), torch.from_numpy(y)

    def step() -> None:
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(net(inputs), labels).backward()
        optimizer.step()

    return step


def keras_step(make: Callable[[Any], list[Any]], shape: tuple[int, ...]) -> Step:
    """The same for Keras, on the backend named by KERAS_BACKEND."""
    import keras

    x, y = data(shape)
    model = keras.Sequential([keras.Input(shape[1:]), *make(keras.layers)])
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return lambda: model.train_on_batch(x, y)


# The CNN of Ketkar's listing 7-7, without dropout


def cnn_layers(layers: Any) -> list[Any]:
    return [
        layers.Conv2D(32, 3, activation="relu"),
        layers.Conv2D(32, 3, activation="relu"),
        layers.MaxPooling2D(),
        layers.Flatten(),
        layers.Dense(128, "relu"),
        layers.Dense(10),
    ]


def cnn_torch(nn: Any) -> Any:
    return nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
        nn.Linear(4608, 128), nn.ReLU(), nn.Linear(128, 10),
    )  # fmt: skip


CNN = (128, 28, 28, 1)
CNN_FLOPS = 2 * 128 * (2 * 26 * 26 * 9 * 32 + 3 * (24 * 24 * 9 * 32 * 32 + 4608 * 128 + 128 * 10))


# A convolution, forward


def convolution_portanet() -> Step:
    import portanet
    from portanet.fused.convolution import conv_nd

    x, kernel, bias = map(portanet.asarray, convolution_data())

    def step() -> None:
        conv_nd(x, kernel, bias, padding="same")
        portanet.get_backend().synchronize()

    return step


def convolution_torch() -> Step:
    import torch

    x, kernel, bias = convolution_data()
    x = torch.from_numpy(np.moveaxis(x, -1, 1).copy())
    kernel, bias = torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()), torch.from_numpy(bias)

    def step() -> None:
        with torch.no_grad():
            torch.nn.functional.conv2d(x, kernel, bias, padding=1)

    return step


def convolution_keras() -> Step:
    import jax
    import keras

    x, kernel, bias = map(keras.ops.convert_to_tensor, convolution_data())
    conv = jax.jit(lambda x: keras.ops.conv(x, kernel, padding="same") + bias)
    return lambda: conv(x).block_until_ready()


def convolution_data() -> tuple[Any, Any, Any]:
    generator = np.random.default_rng(0)
    shapes = (32, 32, 32, 64), (3, 3, 64, 64), (64,)
    x, kernel, bias = (generator.standard_normal(shape).astype("float32") for shape in shapes)
    return x, kernel / 24, bias


WORKLOADS = {
    "cnn": Workload(
        "CNN of Ketkar 7-7, batch 128: forward, backward, Adam",
        lambda: portanet_step(cnn_layers, CNN),
        lambda: torch_step(cnn_torch, CNN, channels_first=True),
        lambda: keras_step(cnn_layers, CNN),
        1.2,
        CNN_FLOPS,
    ),
    "conv": Workload(
        "Conv 3x3 64 to 64 on 32x32, batch 32, forward",
        convolution_portanet,
        convolution_torch,
        convolution_keras,
        1.3,
        2 * 32 * 32 * 32 * 9 * 64 * 64,
    ),
    "lstm": Workload(
        "LSTM 64 to 128, 50 steps, batch 64: forward, backward, Adam",
        lambda: portanet_step(sequences.lstm_layers, sequences.LSTM),
        lambda: torch_step(sequences.lstm_torch, sequences.LSTM),
        lambda: keras_step(sequences.lstm_layers, sequences.LSTM),
        1.3,
        sequences.LSTM_FLOPS,
    ),
    "transformer": Workload(
        "Transformer block d 128, 4 heads, ff 512, 64 steps, batch 32: forward, backward, Adam",
        lambda: portanet_step(sequences.block_layers, sequences.BLOCK),
        lambda: torch_step(sequences.block_torch, sequences.BLOCK),
        lambda: keras_step(sequences.block_keras, sequences.BLOCK),
        1.1,
        sequences.BLOCK_FLOPS,
    ),
}


# Profile and memory of a step


def product_rate() -> float:
    """Multiplications and additions per second in a large product of float32 matrices, the best of ten."""
    a, b = np.ones((2048, 1024), dtype="float32"), np.ones((1024, 1024), dtype="float32")
    best = math.inf
    for _ in range(10):
        start = time.perf_counter()
        a @ b
        best = min(best, time.perf_counter() - start)
    return 2.0 * 2048 * 1024 * 1024 / best


def parts_of_the_cnn() -> dict[str, float]:
    """Median seconds of the operations in the CNN's step, each alone."""
    from portanet.activations import relu
    from portanet.autodiff import vjp
    from portanet.fused import convolution_plain as plain
    from portanet.fused.pooling import max_pool
    from portanet.fused.windows import window

    generator = np.random.default_rng(0)

    def drawn(*shape: int) -> Any:
        return generator.standard_normal(shape).astype("float32")

    x1, k1, x2, k2 = drawn(*CNN), drawn(3, 3, 1, 32), drawn(128, 26, 26, 32), drawn(3, 3, 32, 32)
    y, bias = drawn(128, 24, 24, 32), drawn(32)
    first, second = window((28, 28), (3, 3)), window((26, 26), (3, 3))
    pooled = window((24, 24), (2, 2), 2)
    relu_back, pool_back = vjp(relu, y)[1], vjp(lambda x: max_pool(x, window=pooled), y)[1]
    small, dense, kernel = drawn(128, 12, 12, 32), drawn(128, 4608), drawn(4608, 128)
    pieces: dict[str, Step] = {
        "conv 1 forward": lambda: plain.convolve(x1, k1, bias, window=first, groups=1),
        "conv 1 kernel": lambda: plain.convolve_kernel(x1, x2, window=first, groups=1),
        "conv 2 forward": lambda: plain.convolve(x2, k2, bias, window=second, groups=1),
        "conv 2 input": lambda: plain.convolve_input(y, k2, window=second, groups=1, space=(26, 26)),
        "conv 2 kernel": lambda: plain.convolve_kernel(x2, y, window=second, groups=1),
        "relu 2 forward": lambda: relu(y),
        "relu 2 backward": lambda: relu_back(y, retain=True),
        "max pool forward": lambda: max_pool(y, window=pooled),
        "max pool backward": lambda: pool_back(small, retain=True),
        "dense 4608-128 (3 products)": lambda: (dense @ kernel, dense.T @ dense[:, :128], dense[:, :128] @ kernel.T),
    }
    return interleaved(pieces, rounds=9, turn=0.02)


def peak_memory(library: str, name: str) -> float:
    """Peak memory of a step in bytes, measured in a separate process."""
    output = subprocess.check_output([sys.executable, "-m", "benchmarks.heavy", "--memory", library, name], text=True)
    return float(output.split()[-1])


def print_memory(library: str, name: str) -> None:
    """Print the peak memory of three steps, beyond the memory before the first."""
    step = getattr(WORKLOADS[name], library)()
    use_threads(THREADS)
    before = resident("VmRSS")
    for _ in range(3):
        step()
    print(resident("VmHWM") - before)


def resident(line: str) -> int:
    """Current (VmRSS) or peak (VmHWM) resident memory of the process in bytes, as Linux reports it."""
    status = pathlib.Path("/proc/self/status").read_text().splitlines()
    return next(int(entry.split()[1]) * 1024 for entry in status if entry.startswith(line))


# Report


def timings(name: str, rounds: int, backends: list[str], chainer: str | None) -> dict[str, float]:
    """Median seconds of each library, in turns."""
    step = WORKLOADS[name].portanet()
    use_threads(THREADS)
    keras = {
        "KERAS_BACKEND": "jax",
        "XLA_FLAGS": f"--xla_cpu_multi_thread_eigen=true intra_op_parallelism_threads={THREADS}",
    }
    serving = ("benchmarks.heavy", "--serve")
    with contextlib.ExitStack() as stack:
        served = {
            "torch": stack.enter_context(steps_of(*serving, "torch", name)),
            "keras jax": stack.enter_context(steps_of(*serving, "keras", name, **keras)),
        }
        for backend in backends:
            serve_backend = steps_of(*serving, "portanet", name, PORTANET_BACKEND=backend)
            served[f"portanet {backend}"] = stack.enter_context(serve_backend)
        if chainer is not None and name in ("cnn", "lstm"):
            served["chainer"] = stack.enter_context(steps_of("benchmarks.heavy_chainer", name, python=chainer))
        return in_turns({"portanet numpy": step}, served, rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("workloads", nargs="*", choices=[[], *WORKLOADS], help="by default all")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--backend", action="append", default=[], help="time portanet on this backend, too")
    parser.add_argument("--chainer", metavar="PYTHON", help="Python of an environment with Chainer")
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--memory", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        return serve(getattr(WORKLOADS[args.serve[1]], args.serve[0])(), THREADS)
    if args.memory:
        return print_memory(*args.memory)
    names = args.workloads or list(WORKLOADS)
    print(machine("numpy", "torch", "keras", "jax"))
    print(
        f"load average {os.getloadavg()[0]:.1f}; {THREADS} threads each; medians of {args.rounds} rounds of 4 steps\n"
    )
    results = {WORKLOADS[name].title: timings(name, args.rounds, args.backend, args.chainer) for name in names}
    others = [f"portanet {backend}" for backend in args.backend]
    columns = ["portanet numpy", *others, "torch", "keras jax", *(["chainer"] if args.chainer else [])]
    print(table("workload", results, columns, "torch"))
    rate = product_rate()
    print(f"\nMatrix products run at {rate / 1e9:.0f} GFLOP/s:")
    for name in names:
        workload, medians = WORKLOADS[name], results[WORKLOADS[name].title]
        ratio = medians["portanet numpy"] / medians["torch"]
        print(
            f"  {name}: {workload.flops / 1e9:.2f} GFLOP need at least {seconds(workload.flops / rate)}, "
            f"portanet takes {seconds(medians['portanet numpy'])}; {ratio:.2f} of PyTorch's time, "
            f"target {workload.target}"
        )
    if "cnn" in names:
        print("\nOperations of the CNN's step:")
        for operation, duration in parts_of_the_cnn().items():
            print(f"  {operation:<28} {seconds(duration)}")
        memory, torch = (peak_memory(library, "cnn") / 2**20 for library in ("portanet", "torch"))
        print(f"\nPeak memory of a step: {memory:.0f} MiB, PyTorch {torch:.0f} MiB ({memory / torch:.2f})")


if __name__ == "__main__":
    main()
