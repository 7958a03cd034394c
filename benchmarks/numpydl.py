"""The digits script of NumPyDL's documentation, with NumPyDL and with portanet's compatible interface.

NumPyDL is old: `pip install --no-build-isolation npdl` in an environment with NumPy. `python -m benchmarks.numpydl`;
`--write` puts the results into the pages.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import io
from typing import Any

from sklearn.datasets import load_digits

from benchmarks.pages import beside, environment, report, targets
from benchmarks.timing import RUNS, THREADS, Step, in_runs, serve, steps_of

MODULES = {"portanet": "portanet.compat.numpydl", "npdl": "npdl"}
TASK = "an epoch of the digits script"


def network(npdl: Any) -> tuple[Any, Any, Any]:
    """The model and the data of the script: 64-500-10, SGD at 0.005."""
    npdl.utils.random.set_seed(1234)
    x, y = load_digits(return_X_y=True)
    model = npdl.model.Model()
    model.add(npdl.layers.Dense(n_out=500, n_in=64, activation=npdl.activations.ReLU()))
    model.add(npdl.layers.Dense(n_out=10, activation=npdl.activations.Softmax()))
    model.compile(loss=npdl.objectives.SCCE(), optimizer=npdl.optimizers.SGD(lr=0.005))
    return model, x / x.max(), npdl.utils.data.one_hot(y)


def epoch(npdl: Any) -> Step:
    """One pass over the data, including validation."""
    model, x, y = network(npdl)
    return lambda: model.fit(x, y, max_iter=1, validation_split=0.1, file=io.StringIO())


def result(name: str) -> str:
    """What a library prints after 150 passes."""
    model, x, y = network(importlib.import_module(MODULES[name]))
    lines = io.StringIO()
    model.fit(x, y, max_iter=150, validation_split=0.1, file=lines)
    return lines.getvalue().splitlines()[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--write", action="store_true", help="write the results into the pages")
    parser.add_argument("--serve", choices=MODULES, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.serve:
        return serve(lambda _: epoch(importlib.import_module(MODULES[args.serve])))
    how = f"{environment('numpy')}; {args.runs} runs, {THREADS} threads. `python -m benchmarks.numpydl`"
    processes = {name: functools.partial(steps_of, "benchmarks.numpydl", "--serve", name) for name in MODULES}
    times = in_runs(processes, {TASK: [*MODULES]}, args.runs, rounds=3)[TASK]
    text = targets([beside(TASK, times, 0.8, "portanet", "npdl")])
    last = "\n".join(f"- {name}: {result(name)}" for name in MODULES)
    report("numpydl", {"Digits": f"{text}\n\nAfter 150 epochs:\n\n{last}"}, how, args.write)
    return None


if __name__ == "__main__":
    main()
