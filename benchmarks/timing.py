"""Interleaved timing, shared by the benchmarks.

Contestants take turns in every round, so that other load on the machine affects all of them equally; the median over
the rounds is reported. A contestant is a function without arguments that waits for its result.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib.metadata
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any


def use_threads(count: int = 2) -> None:
    """Limit BLAS, OpenMP and torch to `count` threads; call it after the libraries are imported."""
    import threadpoolctl

    threadpoolctl.threadpool_limits(count)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)


@contextlib.contextmanager
def steps_of(*command: str, python: str = sys.executable, **environment: str) -> Iterator[Callable[[], float]]:
    """A function that runs a step in a process `python -m command` and returns its seconds; see `serve`.

    In a separate process, a library is not affected by the threads and memory settings of others.
    """
    process = subprocess.Popen(
        [python, "-m", *command],
        env={**os.environ, **environment},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdin is not None
        assert process.stdout is not None
        writing, reading = process.stdin, process.stdout

        def step() -> float:
            print("go", file=writing, flush=True)
            return float(reading.readline())

        yield step
        writing.close()


def serve(step: Callable[[], Any], threads: int = 2) -> None:
    """Print the seconds of a step for each line of standard input."""
    use_threads(threads)
    for _ in sys.stdin:
        print(in_a_row(step), flush=True)


def in_a_row(step: Callable[[], Any], count: int = 4) -> float:
    """Mean seconds of `count` consecutive steps, as in training, after one warm-up."""
    step()
    start = time.perf_counter()
    for _ in range(count):
        step()
    return (time.perf_counter() - start) / count


def in_turns(
    own: dict[str, Callable[[], Any]], served: dict[str, Callable[[], float]], rounds: int = 15
) -> dict[str, float]:
    """Median seconds of steps of this process and of others started by `steps_of`, in turns.

    A pause before each turn lets the spinning threads of the last one go to sleep.
    """
    turns = {**{name: functools.partial(in_a_row, step) for name, step in own.items()}, **served}
    times: dict[str, list[float]] = {name: [] for name in turns}
    for i in range(rounds + 1):
        for name, turn in turns.items():
            gc.collect()
            time.sleep(0.06)
            duration = turn()
            if i:  # the first round compiles and allocates
                times[name].append(duration)
    return {name: statistics.median(durations) for name, durations in times.items()}


def interleaved(
    contestants: Mapping[str, Callable[[], Any]], rounds: int = 15, turn: float = 0.01, warmup: int = 2
) -> dict[str, float]:
    """Median seconds of one call of each contestant.

    Args:
        contestants: Functions by name.
        rounds: Number of turns of each contestant.
        turn: Target duration of a turn in seconds; a fast function is called several times.
        warmup: Calls before measuring.
    """
    calls: dict[str, int] = {}
    for name, function in contestants.items():
        for _ in range(warmup):
            function()
        start = time.perf_counter()
        function()
        calls[name] = max(1, round(turn / max(time.perf_counter() - start, 1e-7)))
    times: dict[str, list[float]] = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, function in contestants.items():
            gc.collect()
            start = time.perf_counter()
            for _ in range(calls[name]):
                function()
            times[name].append((time.perf_counter() - start) / calls[name])
    return {name: statistics.median(durations) for name, durations in times.items()}


def seconds(value: float) -> str:
    """A duration with a readable unit.

    >>> seconds(0.00213)
    '2.13 ms'
    """
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}"
    return f"{value / 1e-9:.3g} ns"


def table(title: str, results: Mapping[str, Mapping[str, float]], columns: Sequence[str], base: str) -> str:
    """A Markdown table of medians: one row per task, one column per contestant, with ratios to `base`.

    A missing result is shown as a dash.
    """
    lines = [f"| {title} | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for task, medians in results.items():
        cells = []
        for name in columns:
            if name not in medians:
                cells.append("-")
            elif name == base or base not in medians:
                cells.append(seconds(medians[name]))
            else:
                cells.append(f"{seconds(medians[name])} ({medians[name] / medians[base]:.2f}x)")
        lines.append(f"| {task} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def machine(*packages: str) -> str:
    """A line that describes the environment: processor, cores, Python and package versions."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as info:
            model = next((line.partition(":")[2].strip() for line in info if line.startswith("model name")), model)
    except OSError:
        pass
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    return f"{os.cpu_count()}-core {model}, {platform.system()}, Python {platform.python_version()}, {versions}"
