"""Training in several processes on this machine: speed, messages, and a model of what they cost.

`python -m benchmarks.distribution` starts jobs by mpiexec; `--write` puts the results into the page, with a drawing of
the model to 1,024 processes.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import portanet
from benchmarks.pages import FOLDER, Row, environment, report, targets
from benchmarks.timing import Median, seconds
from portanet import distribution, layers
from portanet.callbacks import Callback
from portanet.training import TrainingRun

COUNTS = (1, 2)
SIZES = tuple(2**k for k in range(10, 27, 2))
"""Bytes of messages."""
SHARDED = "2 processes, 1 thread, shard_optimizer"
MLP, CNN = "MLP 784-512-512-10, batch 128", "CNN, two convolutions of 32, batch 128"


def mlp() -> tuple[Any, Any]:
    return (784,), [layers.Dense(512, activation="relu"), layers.Dense(512, activation="relu"), layers.Dense(10)]


def cnn() -> tuple[Any, Any]:
    convolutions = [layers.Conv2D(32, 3, activation="relu"), layers.Conv2D(32, 3, activation="relu")]
    return (28, 28, 1), [*convolutions, layers.MaxPooling2D(), layers.Flatten(), layers.Dense(10)]


def training(make: Callable[[], tuple[Any, Any]]) -> Callable[[], None]:
    """A step on a batch of 128."""
    portanet.random.set_seed(0)
    shape, parts = make()
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((128, *shape)).astype("float32"), generator.integers(0, 10, 128)
    model = portanet.Sequential([layers.Input(shape), *parts])
    model.compile("adam", portanet.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.train_on_batch(x, y)
    run, batch = TrainingRun(model), (portanet.asarray(x), portanet.asarray(y))
    return lambda: run(*batch) and None


def timed(function: Callable[[], Any], repeats: int) -> list[float]:
    """Seconds of each of some calls."""
    times = []
    for _ in range(repeats + 3):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return times[3:]


def job() -> None:
    """What each process of a job measures; the first one prints it."""
    distribution.set_distribution(distribution.DataParallel(shard_optimizer="SHARD" in os.environ))
    strategy = distribution.distribution()
    assert strategy is not None
    found: dict[str, Any] = {}
    for title, make in ((MLP, mlp), (CNN, cnn)):
        step = training(make)
        processes = strategy.processes
        before = (0, 0) if processes is None else (processes.messages, processes.bytes)
        times = timed(step, 60)
        after = (0, 0) if processes is None else (processes.messages, processes.bytes)
        found[title] = {"times": times, "sent": [(b - a) / 63 for a, b in zip(before, after, strict=True)]}
        if processes is not None and strategy.size > 1 and not strategy.shard_optimizer:
            near, processes.near = processes.near, False
            found[title]["meanwhile"] = timed(step, 60)
            processes.near = near
    if strategy.processes is not None and strategy.size > 1 and not strategy.shard_optimizer:
        found["sums"] = sums(strategy.processes)
    if strategy.rank == 0:
        print(json.dumps(found))


STRATEGIES: dict[str, Callable[[], Any]] = {
    "DataParallel": distribution.DataParallel,
    "LocalSGD": lambda: distribution.LocalSGD(8),
    "EASGD": lambda: distribution.EASGD(8),
    "EASGD, asynchronous": lambda: distribution.EASGD(8, asynchronous=True),
    "Downpour, Adagrad": lambda: distribution.Downpour(8, 0.2, 0.1, delay_tolerant=False),
    "Downpour": lambda: distribution.Downpour(8, 0.2, 0.1),
}


class Slow(Callback):
    """Lets the last process take so many seconds more for each batch."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        strategy = distribution.distribution()
        if strategy is not None and strategy.rank == strategy.size - 1:
            time.sleep(self.seconds)


def strategies(epochs: int = 4) -> dict[str, Any]:
    """The loss on digits after each epoch and the seconds of all, by strategy and by how slow a process is."""
    from sklearn.datasets import load_digits

    x, y = load_digits(return_X_y=True)
    x = (x / 16).astype("float32")
    found: dict[str, Any] = {}
    for delay in (0.0, 4e-3):
        for name, make in STRATEGIES.items():
            portanet.random.set_seed(0)
            distribution.set_distribution(make())
            model = portanet.Sequential([layers.Input((64,)), layers.Dense(128, "relu"), layers.Dense(10)])
            model.compile(portanet.optimizers.SGD(0.1), portanet.losses.SparseCategoricalCrossentropy(from_logits=True))
            slow = [Slow(delay)] if delay else []
            start = time.perf_counter()
            fit = model.fit(x, y, batch_size=32, epochs=epochs, verbose=0, validation_data=(x, y), callbacks=slow)
            losses = fit.history["val_loss"]
            found[f"{name}, {1e3 * delay:g} ms"] = {"losses": losses, "seconds": time.perf_counter() - start}
    return found


def compared(found: dict[str, Any]) -> str:
    """The results of `strategies` as a table."""
    count = len(next(iter(found.values()))["losses"])
    lines = ["| | " + " | ".join(f"after {1797 * (i + 1):,}" for i in range(count)) + " | all epochs |"]
    lines.append("|---" * (count + 2) + "|")
    for name, each in found.items():
        cells = [f"{loss:.3f}" for loss in each["losses"]]
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {each['seconds']:.2f} s |")
    return "\n".join(lines)


def sums(processes: Any) -> dict[str, Any]:
    """Seconds of a sum by size, ours and mpi4py's own, in turns."""
    from mpi4py import MPI

    found: dict[str, Any] = {}
    for size in SIZES:
        x, out = np.ones(size // 4, "float32"), np.empty(size // 4, "float32")
        turns = {"bare": lambda x=x, out=out: MPI.COMM_WORLD.Allreduce(x, out)}
        turns["ours"] = lambda x=x: processes.start_sum(x)()
        times: dict[str, list[float]] = {name: [] for name in turns}
        for _ in range(40):
            for name, turn in turns.items():
                MPI.COMM_WORLD.Barrier()
                start = time.perf_counter()
                turn()
                times[name].append(time.perf_counter() - start)
        found[str(size)] = {name: each[5:] for name, each in times.items()}
    return found


def measured(count: int, threads: int, shard: bool = False, what: str = "--job") -> dict[str, Any]:
    """What a job of some processes with some threads each has measured; `shard`: each updates its slice of weights."""
    beside = pathlib.Path(sys.executable).with_name("mpiexec")
    launcher = str(beside) if beside.exists() else shutil.which("mpiexec")
    if launcher is None:
        raise SystemExit("mpiexec is not installed. Type: pip install 'portanet[mpi]'")
    limit = {name: str(threads) for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    limit |= {"SHARD": "1"} if shard else {}
    command = [launcher, "-n", str(count), sys.executable, "-m", "benchmarks.distribution", what]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, **limit})
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--job", action="store_true", help="be a process of a job")
    parser.add_argument("--strategies", action="store_true", help="be a process of a job that compares strategies")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="write the results into the pages")
    args = parser.parse_args()
    if args.job:
        job()
        return
    if args.strategies:
        distribution.set_distribution(distribution.DataParallel())
        strategy, found = distribution.distribution(), strategies()
        if strategy is not None and strategy.rank == 0:
            print(json.dumps(found))
        return
    ways: dict[str, Any] = {"1 process, 2 threads": (1, 2), "1 process, 1 thread": (1, 1)}
    ways |= {"2 processes, 1 thread": (2, 1), SHARDED: (2, 1, True)}
    runs = [{name: measured(*way) for name, way in ways.items()} for _ in range(args.runs)]
    rows = []
    for title in (MLP, CNN):
        times = {name: Median.of([float(np.median(run[name][title]["times"])) for run in runs]) for name in ways}
        together = times["2 processes, 1 thread"]
        cells = {name: seconds(each) for name, each in times.items() if name != SHARDED}
        meanwhile = Median.of([float(np.median(run["2 processes, 1 thread"][title]["meanwhile"])) for run in runs])
        cells["gradients sent during the backward pass"] = seconds(meanwhile)
        messages, sent = runs[-1]["2 processes, 1 thread"][title]["sent"]
        cells["messages, bytes of a step"] = f"{messages:.0f}, {sent / 1e6:.2f} MB"
        rows.append(Row(title, together.over(times["1 process, 2 threads"]), 1.11, cells))
        messages, sent = runs[-1][SHARDED][title]["sent"]
        cells = {name: seconds(times[name]) for name in ("1 process, 2 threads", "1 process, 1 thread")}
        cells |= {"2 processes, 1 thread": seconds(times[SHARDED])}
        cells["messages, bytes of a step"] = f"{messages:.0f}, {sent / 1e6:.2f} MB"
        sharded = times[SHARDED].over(times["1 process, 2 threads"])
        rows.append(Row(f"{title}; shard_optimizer", sharded, 1.11, cells))
    found = [run["2 processes, 1 thread"]["sums"] for run in runs]
    tables = {
        size: {k: [float(np.median(each[str(size)][k])) for each in found] for k in ("bare", "ours")} for size in SIZES
    }
    sums_rows = [
        Row(
            f"{size:,} bytes",
            Median.of(each["ours"]).over(Median.of(each["bare"])),
            1.2,
            {"mpi4py": seconds(Median.of(each["bare"])), "portanet": seconds(Median.of(each["ours"]))},
        )
        for size, each in tables.items()
    ]
    alpha, beta = fitted({size: float(np.median(each["ours"])) for size, each in tables.items()})
    alone = float(np.median([np.median(run["1 process, 1 thread"][MLP]["times"]) for run in runs]))
    sent = runs[-1]["2 processes, 1 thread"][MLP]["sent"]
    model = (
        f"A sum of n bytes takes {1e6 * alpha:.0f} µs + n / ({1e-9 / beta:.2f} GB/s) between two processes here. In a "
        "ring of p processes it takes 2 (p - 1) of the first and 2 (p - 1) / p of the second. The drawing has a step "
        f"of the MLP on one thread, {1e3 * alone:.1f} ms. With 128 examples for each process, the limit is the time "
        "in which the ring passes its messages on; with 128 in all, each process soon waits longer than it computes."
        "\n\n![cost of a step over processes](distribution.svg)"
    )
    if args.write:
        draw(alpha, beta, alone, *sent)
    how = f"{environment('numpy', 'mpi4py')}; {args.runs} runs. `python -m benchmarks.distribution`"
    both = measured(2, 1, what="--strategies")
    comparison = (
        "The loss on digits over the examples seen, of an MLP 64-128-10 trained by SGD in batches of 32 by two "
        f"processes, of which one may take some ms more for each batch.\n\n{compared(both)}"
    )
    parts = {"Steps": targets(rows), "Sums": targets(sums_rows), "Strategies": comparison, "A model of the cost": model}
    report("distribution", parts, how, args.write)


def fitted(times: dict[int, float]) -> tuple[float, float]:
    """Seconds of a message of no bytes, and of each byte, with small relative errors."""
    sizes, measured = np.asarray(list(times), "float64"), np.asarray(list(times.values()))
    terms = np.stack([1 / measured, sizes / measured], axis=1)
    (alpha, beta), *_ = np.linalg.lstsq(terms, np.ones(len(sizes)), rcond=None)
    return max(float(alpha), 1e-7), float(beta)


def draw(alpha: float, beta: float, alone: float, messages: float, sent: float) -> None:
    """Draw the time of a step over the number of processes."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    p = 2.0 ** np.arange(11)
    ring = messages * 2 * (p - 1) * alpha + 2 * (p - 1) / p * sent * beta
    figure, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
    axes.plot(p, 1e3 * (alone + ring), "o-", label="128 examples for each process")
    axes.plot(p, 1e3 * (alone / p + ring), "o-", label="128 examples in all")
    axes.plot(p, 1e3 * ring, "--", color="grey", label="sums alone")
    axes.set(xscale="log", yscale="log", xlabel="processes", ylabel="ms of a step", xticks=p[::2])
    axes.set_xticklabels([f"{n:.0f}" for n in p[::2]])
    axes.legend(fontsize="small")
    figure.savefig(FOLDER / "distribution.svg", metadata={"Date": None})


if __name__ == "__main__":
    main()
