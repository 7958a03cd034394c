"""Interleaved timing, shared by the benchmarks.

Contestants take turns in every round, so that other load on the machine affects all of them equally; the median over
the rounds is reported, and how far the middle half of the rounds is from it. A contestant is a function without
arguments that waits for its result.
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


class Median(float):
    """The median of durations; `spread` is half the width of their middle half, relative to it.

    >>> median = Median.of([1.0, 2.0, 3.0, 2.0, 2.0])
    >>> float(median), median.spread
    (2.0, 0.25)
    """

    spread: float

    @classmethod
    def of(cls, durations: Sequence[float]) -> Median:
        median = cls(statistics.median(durations))
        low, _, high = statistics.quantiles(durations, n=4)
        median.spread = (high - low) / 2 / median
        return median


def use_threads(count: int = 2) -> None:
    """Limit BLAS, OpenMP and torch to `count` threads; call it after the libraries are imported."""
    import threadpoolctl

    threadpoolctl.threadpool_limits(count)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)


@contextlib.contextmanager
def steps_of(*command: str, python: str = sys.executable, **environment: str) -> Iterator[Callable[..., float]]:
    """A function that runs a step in a process `python -m command` and returns its seconds; see `serve`.

    If the process serves several steps, the function takes the name of one.

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

        def step(name: str = "") -> float:
            print(name, file=writing, flush=True)
            return float(reading.readline())

        yield step
        writing.close()


def serve(
    step: Callable[[], Any] | Mapping[str, Callable[[], Any]], threads: int = 2, turn: float | None = None
) -> None:
    """Print the seconds of a step for each line of standard input, which is the name of one if there are several.

    Args:
        step: Function or functions without arguments.
        threads: Those of BLAS, OpenMP and torch.
        turn: Seconds for which a step is repeated. By default, four times.
    """
    use_threads(threads)
    for line in sys.stdin:
        one = step if callable(step) else step[line.strip()]
        print(in_a_row(one) if turn is None else in_a_row(one, 1, turn), flush=True)


def in_a_row(step: Callable[[], Any], count: int = 4, turn: float = 0.0) -> float:
    """Mean seconds of consecutive steps, as in training, after one warm-up: at least `count`, for `turn` seconds."""
    step()
    done = 0
    start = time.perf_counter()
    while done < count or time.perf_counter() - start < turn:
        step()
        done += 1
    return (time.perf_counter() - start) / done


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
    return {name: Median.of(durations) for name, durations in times.items()}


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
    return {name: Median.of(durations) for name, durations in times.items()}


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
    """A Markdown table of medians: one row per task, one column per contestant, with spreads and ratios to `base`.

    A missing result is shown as a dash.
    """

    def cell(value: float) -> str:
        return f"{seconds(value)} ±{100 * value.spread:.0f}%" if isinstance(value, Median) else seconds(value)

    lines = [f"| {title} | " + " | ".join(columns) + " |", "|---" * (len(columns) + 1) + "|"]
    for task, medians in results.items():
        cells = []
        for name in columns:
            if name not in medians:
                cells.append("-")
            elif name == base or base not in medians:
                cells.append(cell(medians[name]))
            else:
                cells.append(f"{cell(medians[name])} ({medians[name] / medians[base]:.2f}x)")
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
