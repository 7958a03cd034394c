"""Calls of a library beside PyTorch's, each in a process of its own, on one thread and on two."""

from __future__ import annotations

import argparse
import functools
from collections.abc import Callable, Mapping

from benchmarks.pages import beside, environment, report, targets
from benchmarks.timing import RUNS, Step, in_runs, serve, steps_of

PEER = "torch"


def main(
    name: str, description: str | None, tasks: Mapping[str, Mapping[str, Callable[[], Step]]], target: float | None
) -> None:
    """The program of a benchmark.

    Args:
        name: Its module, and the name of its page.
        description: What `--help` says.
        tasks: For each task, what makes its step in each library, PyTorch last.
        target: The greatest ratio to PyTorch's time.
    """
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--write", action="store_true", help="write the results into the pages")
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        library, threads = args.serve
        return serve(lambda task: tasks[task][library](), int(threads), turn=0.05)
    libraries = list(next(iter(tasks.values())))
    how = f"{environment('numpy', PEER)}; {args.runs} runs. `python -m benchmarks.{name}`"
    parts = {}
    for threads in ("1", "2"):
        processes = {
            library: functools.partial(steps_of, f"benchmarks.{name}", "--serve", library, threads)
            for library in libraries
        }
        times = in_runs(processes, dict.fromkeys(tasks, libraries), args.runs)
        rows = [beside(task, each, target, libraries[0], PEER) for task, each in times.items()]
        parts[f"{threads} thread{'s' * (threads > '1')}"] = targets(rows)
    report(name, parts, how, args.write)
    return None
