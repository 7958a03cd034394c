"""Timing, shared by the benchmarks.

There is one way: each contestant, mostly a library in a process of its own, repeats its step while its turn lasts, then
the next one has a turn. So other load on the machine affects all of them. `in_turns` does that for a number of rounds;
`in_runs` repeats it with new processes, and what is reported of five runs is the median and the range.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import math
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

THREADS = 2
"""Of each library, unless said otherwise."""
RUNS = 5
ATTEMPTS = 5
"""Turns until one is not disturbed by other processes."""
TOLERATED = 0.1
"""What these may take of the cores in a turn."""

Step = Callable[[], Any]
Process = AbstractContextManager[Callable[[str], float]]


class Median(float):
    """The median of measurements, which it keeps.

    >>> median = Median.of([1.0, 2.0, 3.0, 2.0, 2.0])
    >>> float(median), median.low, median.high, median.spread
    (2.0, 1.0, 3.0, 0.25)
    """

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Sequence[float]) -> Median:
        median = cls(statistics.median(values))
        median.values = tuple(values)
        return median

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)

    @property
    def spread(self) -> float:
        """Half the width of the middle half, relative to the median; 0 of one measurement."""
        if len(self.values) == 1:
            return 0.0
        low, _, high = statistics.quantiles(self.values, n=4)
        return (high - low) / 2 / self

    def over(self, other: Median) -> Median:
        """The ratio to another contestant in the same runs.

        >>> Median.of([1.0, 2.0, 3.0]).over(Median.of([2.0, 2.0, 2.0])).values
        (0.5, 1.0, 1.5)
        """
        return Median.of([a / b for a, b in zip(self.values, other.values, strict=True)])


def use_threads(count: int = THREADS) -> None:
    """Limit BLAS, OpenMP and torch to `count` threads; call it after the libraries are imported."""
    import threadpoolctl

    threadpoolctl.threadpool_limits(count)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(count)


# Processes


@contextlib.contextmanager
def steps_of(*command: str, python: str = sys.executable, **environment: str) -> Iterator[Callable[[str], float]]:
    """A function that runs a step by name in a process `python -m command` and returns its seconds; see `serve`.

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
            answer = reading.readline()
            if not answer:
                raise RuntimeError(f"`python -m {' '.join(command)}` ended at step {name!r}")
            return float(answer)

        yield step
        writing.close()


def serve(make: Callable[[str], Step], threads: int = THREADS, turn: float = 0.2) -> None:
    """Give the step that each line of standard input names a turn, and print its seconds.

    Args:
        make: Makes a step from its name, when it is first asked for; the first calls compile and allocate, for which
            they have a turn that is not counted.
        threads: Those of BLAS, OpenMP and torch.
        turn: Seconds of a turn.
    """
    steps: dict[str, Step] = {}
    for line in sys.stdin:
        name = line.strip()
        known = name in steps
        step = steps[name] = steps[name] if known else make(name)
        use_threads(threads)
        if not known:
            _in_a_row(step, turn)
        print(in_a_row(step, turn), flush=True)


# Turns


def busy_seconds() -> float:
    """Seconds for which the cores of this machine worked so far, for anybody; 0 where the system does not tell."""
    try:
        with open("/proc/stat") as info:
            user, nice, system, _, _, *others = map(float, info.readline().split()[1:8])
    except OSError:
        return 0.0
    return (user + nice + system + sum(others)) / os.sysconf("SC_CLK_TCK")


def in_a_row(step: Step, turn: float = 0.2) -> float:
    """Mean seconds of consecutive steps, as in training, which last for a turn.

    A turn in which other processes took much of the cores is repeated; of those that were, the least disturbed counts.
    """
    gc.collect()
    turns = []
    for _ in range(ATTEMPTS):
        before = time.perf_counter(), busy_seconds() - time.process_time()
        duration = _in_a_row(step, turn)
        elapsed, others = time.perf_counter() - before[0], busy_seconds() - time.process_time() - before[1]
        turns.append((others / elapsed, duration))
        if others <= max(TOLERATED * elapsed * (os.cpu_count() or 1), 0.02):  # clocks have 0.01 s
            break
    return min(turns)[1]


def _in_a_row(step: Step, turn: float) -> float:
    """One turn. A step before it is not counted, since caches hold what others needed, unless it fills the turn."""
    start = time.perf_counter()
    step()
    first = time.perf_counter() - start
    if first >= turn:
        return first
    calls = range(math.ceil(turn / max(first, 1e-7)))
    start = time.perf_counter()
    for _ in calls:
        step()
    return (time.perf_counter() - start) / len(calls)


def in_turns(turns: Mapping[str, Callable[[], float]], rounds: int = 15) -> dict[str, Median]:
    """Median seconds of contestants, given as functions that take a turn and return the seconds of a step.

    A pause before each turn lets the spinning threads of the last one go to sleep.
    """
    times: dict[str, list[float]] = {name: [] for name in turns}
    for _ in range(rounds):
        for name, turn in turns.items():
            time.sleep(0.06)
            times[name].append(turn())
    return {name: Median.of(durations) for name, durations in times.items()}


def interleaved(contestants: Mapping[str, Step], rounds: int = 15, turn: float = 0.01) -> dict[str, Median]:
    """Median seconds of steps of this process, in turns; the first call of each is not counted."""
    for step in contestants.values():
        step()
    return in_turns({name: functools.partial(in_a_row, step, turn) for name, step in contestants.items()}, rounds)


def in_runs(
    processes: Mapping[str, Callable[[], Process]],
    tasks: Mapping[str, Sequence[str]],
    runs: int = RUNS,
    rounds: int = 2,
    limit: float = math.inf,
) -> dict[str, dict[str, Median]]:
    """Seconds of each task in each library, one value for each run.

    In each run every library begins a new process; every second run they take their turns in reverse order.

    Args:
        processes: What starts the process of a library, by its name; see `steps_of`.
        tasks: The libraries that do a task, by its name.
        runs: Number of runs.
        rounds: Turns of each library in a run; their median is its value.
        limit: Seconds after which no further run begins.
    """
    results: dict[str, dict[str, list[float]]] = {task: {name: [] for name in names} for task, names in tasks.items()}
    began = time.perf_counter()
    for run in range(runs):
        if run and time.perf_counter() - began > limit:
            break
        with contextlib.ExitStack() as stack:
            steps = {name: stack.enter_context(start()) for name, start in processes.items()}
            for task, names in tasks.items():
                order = names if run % 2 else names[::-1]
                turns = {name: functools.partial(steps[name], task) for name in order}
                for name, median in in_turns(turns, rounds).items():
                    results[task][name].append(median)
    return {task: {name: Median.of(values) for name, values in each.items()} for task, each in results.items()}


# Tables


def seconds(value: float) -> str:
    """A duration with a readable unit, and the spread of a median.

    >>> seconds(0.00213), seconds(Median.of([1.0, 2.0, 3.0, 2.0, 2.0]))
    ('2.13 ms', '2 s ±25%')
    """
    spread = f" ±{100 * value.spread:.0f}%" if isinstance(value, Median) else ""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= size:
            return f"{value / size:.3g} {unit}{spread}"
    return f"{value / 1e-9:.3g} ns{spread}"


def table(title: str, results: Mapping[str, Mapping[str, float]], columns: Sequence[str], base: str) -> str:
    """A Markdown table of medians: one row per task, one column per contestant, with spreads and ratios to `base`.

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
