"""Side-by-side timing that other benchmarks share.

Contestants take turns in every round, so that whatever else the machine does disturbs all of them alike; the median
over the rounds is reported. A contestant is a function without arguments that has finished when it returns (a library
that computes asynchronously must wait inside).
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
    """Hold BLAS, OpenMP and torch to `count` threads; call it after the libraries are imported."""
    import threadpoolctl

    threadpoolctl.threadpool_limits(count)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)


@contextlib.contextmanager
def steps_of(*command: str, python: str = sys.executable, **environment: str) -> Iterator[Callable[[], float]]:
    """A function that has `python -m command` do one step, and gives the seconds it took; see `serve`.

    A library in a process of its own is as it is for its users: no other's threads, nor its settings of memory.
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
    """For each line read, print how long a step takes."""
    use_threads(threads)
    for _ in sys.stdin:
        print(in_a_row(step), flush=True)


def in_a_row(step: Callable[[], Any], count: int = 4) -> float:
    """Seconds of a step among others, as in training: after one that is not counted."""
    step()
    start = time.perf_counter()
    for _ in range(count):
        step()
    return (time.perf_counter() - start) / count


def in_turns(
    own: dict[str, Callable[[], Any]], served: dict[str, Callable[[], float]], rounds: int = 15
) -> dict[str, float]:
    """Median seconds of steps of this process and of others that are asked by `steps_of`, taking turns.

    Before each turn is a rest, until the threads of the last one, which look out for more work, have gone to sleep.
    """
    turns = {**{name: functools.partial(in_a_row, step) for name, step in own.items()}, **served}
    times: dict[str, list[float]] = {name: [] for name in turns}
    for number in range(rounds + 1):
        for name, turn in turns.items():
            gc.collect()
            time.sleep(0.06)
            taken = turn()
            if number:  # the first compiles and allocates
                times[name].append(taken)
    return {name: statistics.median(found) for name, found in times.items()}


def interleaved(
    contestants: Mapping[str, Callable[[], Any]], rounds: int = 15, turn: float = 0.01, warmup: int = 2
) -> dict[str, float]:
    """Median seconds of one call of each contestant.

    Args:
        contestants: Name and function.
        rounds: How often each takes its turn.
        turn: Seconds that a turn should last; a fast function is called several times in it.
        warmup: Calls before anything is measured.
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
    return {name: statistics.median(found) for name, found in times.items()}


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
    """A Markdown table of medians: one row for each task, one column for each contestant, ratios to `base` beside.

    A contestant without a figure for a task is shown as a dash.
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
    """One line that says where the figures come from: processor, cores, Python and package versions."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as info:
            model = next((line.partition(":")[2].strip() for line in info if line.startswith("model name")), model)
    except OSError:
        pass
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in packages)
    return f"{os.cpu_count()}-core {model}, {platform.system()}, Python {platform.python_version()}, {versions}"
