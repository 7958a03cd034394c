"""Two jobs at once on two cores, in several ways: `python -m benchmarks.processes`.

A job trains a small model for a number of steps. If processes with two threads each take longer than those with one,
their threads are in each other's way.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator

import joblib
import numpy as np

import portanet
from benchmarks.pages import Row, environment, report, targets
from benchmarks.timing import Median, seconds
from portanet import layers

JOBS = 2
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
TARGET = 1.05
"""Ratio to the time of processes with one thread each."""


def mlp() -> Callable[[], None]:
    """Three epochs of an MLP 784-320-320-10, 20 batches of 128."""
    stack = [layers.Input((784,)), layers.Dense(320, "relu"), layers.Dense(320, "relu"), layers.Dense(10)]
    return _job(portanet.Sequential(stack), (2560, 784), 3)


def cnn() -> Callable[[], None]:
    """Eight epochs of a small CNN, 4 batches of 32 images of 28 x 28."""
    stack = [
        *(layers.Input((28, 28, 1)), layers.Conv2D(16, 3, activation="relu"), layers.MaxPooling2D(2)),
        *(layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2), layers.Flatten(), layers.Dense(10)),
    ]
    return _job(portanet.Sequential(stack), (128, 28, 28, 1), 8)


def lstm() -> Callable[[], None]:
    """Sixteen epochs of an LSTM with 64 units, 4 batches of 32 sequences of 30 steps."""
    return _job(portanet.Sequential([layers.Input((30, 32)), layers.LSTM(64), layers.Dense(10)]), (128, 30, 32), 16)


def _job(model: portanet.Sequential, shape: tuple[int, ...], epochs: int) -> Callable[[], None]:
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal(shape).astype("float32"), generator.integers(0, 10, shape[0]).astype("int32")
    model.compile("adam", portanet.losses.SparseCategoricalCrossentropy(from_logits=True))
    size = 128 if len(shape) == 2 else 32

    def run() -> None:
        model.fit(x, y, batch_size=size, epochs=epochs, verbose=0)

    return run


TASKS: dict[str, Callable[[], Callable[[], None]]] = {"MLP": mlp, "CNN": cnn, "LSTM": lstm}
_made: dict[str, Callable[[], None]] = {}


def work(task: str) -> None:
    """A job, in the process that joblib gives it to; the first call there makes its model."""
    if task not in _made:
        _made[task] = TASKS[task]()
    _made[task]()


@contextlib.contextmanager
def processes(count: int, **environment: str) -> Iterator[Callable[[str], float]]:
    """A function that runs a job in each of several processes at once, and returns the seconds until all are done."""
    command = ["env", *(f"{name}={value}" for name, value in environment.items()), sys.executable]
    with contextlib.ExitStack() as stack:
        started = [
            stack.enter_context(
                subprocess.Popen(
                    [*command, "-m", "benchmarks.processes", "--serve"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(count)
        ]

        def run(task: str) -> float:
            start = time.perf_counter()
            for process in started:
                print(task, file=process.stdin, flush=True)
            for process in started:
                assert process.stdout is not None
                process.stdout.readline()
            return time.perf_counter() - start

        yield run
        for process in started:
            assert process.stdin is not None
            process.stdin.close()


def with_joblib(**options: object) -> Callable[[str], float]:
    """The same with joblib's workers, which know a function of this module by name, and keep the models then."""
    from benchmarks.processes import work

    parallel = joblib.Parallel(n_jobs=JOBS, **options)

    def run(task: str) -> float:
        start = time.perf_counter()
        parallel(joblib.delayed(work)(task) for _ in range(JOBS))
        return time.perf_counter() - start

    return run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--write", action="store_true", help="write the results into the pages")
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        for line in sys.stdin:
            work(line.strip())
            print(flush=True)
        return
    with contextlib.ExitStack() as stack:
        alone = stack.enter_context(processes(1))
        ways: dict[str, Callable[[str], float]] = {
            "one thread each": stack.enter_context(processes(JOBS, **ONE_THREAD)),
            "two threads each": stack.enter_context(processes(JOBS)),
            "joblib": with_joblib(),
            "one after the other, two threads": lambda task: alone(task) + alone(task),
        }
        rows: list[Row] = []
        for task in TASKS:
            for run in ways.values():
                run(task)  # which makes the models
            rounds = [{name: run(task) for name, run in ways.items()} for _ in range(args.rounds)]
            times = {name: Median.of([each[name] for each in rounds]) for name in ways}
            base, *others = ways
            for name in others:
                cells = {f"processes with {base}": seconds(times[base]), "this way": seconds(times[name])}
                rows.append(Row(f"{task}: {name}", times[name].over(times[base]), TARGET, cells))
    parts = {"Two jobs at once": targets(rows)}
    report("processes", parts, f"{environment('numpy', 'joblib')}. `python -m benchmarks.processes`", args.write)


if __name__ == "__main__":
    main()
