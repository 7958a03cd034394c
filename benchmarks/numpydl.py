"""The digits script of NumPyDL's documentation, with NumPyDL and with portanet's compatible interface.

NumPyDL is old: `pip install --no-build-isolation npdl` in an environment with NumPy. It runs in a separate process, as
for its users. `python -m benchmarks.numpydl`
"""

from __future__ import annotations

import importlib
import io
import sys
from collections.abc import Callable
from typing import Any

from sklearn.datasets import load_digits

from benchmarks.timing import in_turns, machine, seconds, serve, steps_of, use_threads


def network(npdl: Any) -> tuple[Any, Any, Any]:
    """The model and the data of the script: 64-500-10, SGD at 0.005."""
    npdl.utils.random.set_seed(1234)
    x, y = load_digits(return_X_y=True)
    model = npdl.model.Model()
    model.add(npdl.layers.Dense(n_out=500, n_in=64, activation=npdl.activations.ReLU()))
    model.add(npdl.layers.Dense(n_out=10, activation=npdl.activations.Softmax()))
    model.compile(loss=npdl.objectives.SCCE(), optimizer=npdl.optimizers.SGD(lr=0.005))
    return model, x / x.max(), npdl.utils.data.one_hot(y)


def epoch(npdl: Any) -> Callable[[], Any]:
    """One pass over the data, including validation."""
    model, x, y = network(npdl)
    return lambda: model.fit(x, y, max_iter=1, validation_split=0.1, file=io.StringIO())


def result(name: str, npdl: Any) -> None:
    """Print the result of 150 passes."""
    model, x, y = network(npdl)
    lines = io.StringIO()
    model.fit(x, y, max_iter=150, validation_split=0.1, file=lines)
    print(f"{name:<10} {lines.getvalue().splitlines()[-1]}")


def main() -> None:
    if sys.argv[1:] == ["--serve"]:
        return serve(epoch(importlib.import_module("npdl")))
    compat = importlib.import_module("portanet.compat.numpydl")
    print(machine("numpy"))
    result("portanet", compat)
    result("npdl", importlib.import_module("npdl"))
    use_threads(2)
    with steps_of("benchmarks.numpydl", "--serve") as npdl_epoch:
        medians = in_turns({"portanet": epoch(compat)}, {"npdl": npdl_epoch}, rounds=20)
    for name, time in medians.items():
        print(f"{name:<10} {seconds(time)} per epoch")
    print(f"portanet takes {medians['portanet'] / medians['npdl']:.2f} of NumPyDL's time")


if __name__ == "__main__":
    main()
