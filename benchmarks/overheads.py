"""What portanet costs beside the work: `fit` over the bare step, recording of small arrays, the import.

`python -m benchmarks.overheads`; `--write` puts the results into the pages.
"""

from __future__ import annotations

import argparse
import functools
import importlib.metadata
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np

import portanet
from benchmarks.pages import Row, environment, report, targets
from benchmarks.timing import RUNS, THREADS, Median, Step, in_runs, interleaved, seconds, serve, steps_of
from portanet import layers
from portanet.autodiff import vjp
from portanet.training import TrainingRun

BATCH, BATCHES = 128, 20
generator = np.random.default_rng(0)
X = generator.standard_normal((BATCH * BATCHES, 784)).astype("float32")
Y = generator.integers(0, 10, BATCH * BATCHES)
BARE = "the bare step"


# fit over the bare step


def model() -> Any:
    """An MLP 784-320-320-10, whose step takes a few milliseconds."""
    net = portanet.Sequential([layers.Input((784,)), layers.Dense(320, "relu"), layers.Dense(320, "relu")])
    net.add(layers.Dense(10))
    loss = portanet.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile("adam", loss, metrics=["accuracy"])
    return net


def bare() -> Step:
    """The step alone, with prepared batches."""
    net = model()
    run = TrainingRun(net)
    params = {path: run.variables[path].value for path in run.trained}
    state = {path: run.variables[path].value for path in run.kept}
    slots = net.optimizer_state[1]
    batches = [(X[i : i + BATCH], [Y[i : i + BATCH]], [None]) for i in range(0, len(X), BATCH)]

    def epoch() -> None:
        nonlocal params, state, slots
        for x, y, weight in batches:
            params, state, slots, _ = run.step(params, state, slots, None, x, y, weight)

    return epoch


def custom_loop() -> Step:
    """A custom training loop with `TrainingRun`."""
    net = model()
    run = TrainingRun(net)

    def epoch() -> None:
        totals = net.totals()
        for i in range(0, len(X), BATCH):
            totals.add(run(X[i : i + BATCH], Y[i : i + BATCH]))
        totals.logs()

    return epoch


def fit(x: Any = X, **options: Any) -> Step:
    net = model()
    return lambda: net.fit(x, Y, batch_size=BATCH, verbose=0, **options)


def fit_mapped() -> Step:
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file, X)
        file.flush()
        return fit(np.load(file.name, mmap_mode="r"))


EPOCHS: dict[str, tuple[Callable[[], Step], float | None, int]] = {
    BARE: (bare, None, 1),
    "a custom loop": (custom_loop, 2.0, 1),
    "fit, in order": (lambda: fit(shuffle=False, check_finite=False), 2.0, 1),
    "fit, in order, 5 epochs": (lambda: fit(shuffle=False, check_finite=False, epochs=5), 2.0, 5),
    "fit, shuffled, with all checks": (fit, 2.0, 1),
    "fit, shuffled, with all checks, 5 epochs": (lambda: fit(epochs=5), 2.0, 5),
    "fit, a mapped file, shuffled": (fit_mapped, None, 1),
}
"""What trains, the greatest percentage over the bare step that is aimed for, and the number of epochs."""


def overhead_of_fit(runs: int) -> str:
    """The table."""
    processes = {name: functools.partial(steps_of, "benchmarks.overheads", "--serve", name) for name in EPOCHS}
    times = in_runs(processes, {"epoch": [*EPOCHS]}, runs, rounds=3)["epoch"]
    rows = []
    for name, (_, target, epochs) in EPOCHS.items():
        over = Median.of([100 * (ratio / epochs - 1) for ratio in times[name].over(times[BARE]).values])
        rows.append(Row(name, over, target, {"a step": seconds(times[name] / BATCHES / epochs)}, "%"))
    title = (
        "MLP 784-320-320-10, batch 128, Adam, accuracy, 20 steps an epoch; the result is the time over the bare step."
    )
    return f"{title}\n\n{targets(rows)}"


# Recording


def tiny(operation: Callable[[Any], Any], count: int = 100) -> Step:
    """Record `count` operations on an array of three elements."""
    x = np.ones(3, dtype="float32")

    def chain(x: Any) -> Any:
        for _ in range(count):
            x = operation(x)
        return x

    return lambda: vjp(chain, x)


def recording() -> str:
    """The table of what an operation costs that is recorded, in microseconds."""
    operations = {
        "x * 1.5": (lambda x: x * 1.5, 100),
        "x * x": (lambda x: x * x, 100),
        "xp.exp(x * 0)": (lambda x: x.__array_namespace__().exp(x * 0), 200),
    }
    times = interleaved({name: tiny(operation) for name, (operation, _) in operations.items()}, rounds=20)
    rows = [
        Row(name, Median.of([1e6 * t / operations[name][1] for t in time.values]), 3.0, unit="µs")
        for name, time in times.items()
    ]
    return "One operation on an array of 3 elements.\n\n" + targets(rows)


# The import


def import_seconds(cache: str) -> float:
    """Seconds to import portanet after NumPy in a new interpreter, with bytecode in a folder as for its users."""
    code = "import numpy, time; t = time.perf_counter(); import portanet; print(time.perf_counter() - t)"
    env = {**os.environ, "PYTHONPYCACHEPREFIX": cache, "PYTHONDONTWRITEBYTECODE": ""}
    return float(subprocess.check_output([sys.executable, "-c", code], env=env))


def importing(runs: int) -> str:
    """What an import takes on top of NumPy's, and the size of the package."""
    with tempfile.TemporaryDirectory() as cache:
        import_seconds(cache)  # reads the files from the disk, and writes the bytecode
        over = Median.of([1e3 * import_seconds(cache) for _ in range(3 * runs)])
    rows = [Row("import portanet, over NumPy", over, 15, unit="ms")]
    size = sum(file.stat().st_size for file in pathlib.Path(portanet.__file__).parent.rglob("*.py"))
    core = [each for each in importlib.metadata.requires("portanet") or [] if "extra" not in each]
    return f"{targets(rows)}\n\nportanet's files have {size / 1024:.0f} KiB; it requires {', '.join(core)}."


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--write", action="store_true", help="write the results into the pages")
    parser.add_argument("--serve", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        return serve(lambda _: EPOCHS[args.serve][0]())
    how = f"{environment('numpy')}; {args.runs} runs, {THREADS} threads. `python -m benchmarks.overheads`"
    parts = {"fit": overhead_of_fit(args.runs), "Recording": recording(), "Import": importing(args.runs)}
    report("overheads", parts, how, args.write)
    return None


if __name__ == "__main__":
    main()
