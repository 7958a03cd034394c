"""The digits script of NumPyDL's documentation, run by NumPyDL and by portanet's compatible interface in one run.

NumPyDL is old: `pip install --no-build-isolation npdl` in an environment that has NumPy. `python -m benchmarks.numpydl`
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable
from typing import Any

from sklearn.datasets import load_digits

from benchmarks.timing import interleaved, machine, seconds, use_threads

PEERS = {"portanet": "portanet.compat.numpydl", "npdl": "npdl"}


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
    """One pass over the data, validation included."""
    model, x, y = network(npdl)
    return lambda: model.fit(x, y, max_iter=1, validation_split=0.1, file=io.StringIO())


def main() -> None:
    found = {}
    for name, module in PEERS.items():
        try:
            found[name] = importlib.import_module(module)
        except ImportError as error:
            print(f"{name} left out: {error}")
    use_threads(2)
    print(machine("numpy"))
    for name, npdl in found.items():
        model, x, y = network(npdl)
        lines = io.StringIO()
        model.fit(x, y, max_iter=150, validation_split=0.1, file=lines)
        print(f"{name:<10} {lines.getvalue().splitlines()[-1]}")
    medians = interleaved({name: epoch(npdl) for name, npdl in found.items()}, rounds=15)
    for name, time in medians.items():
        print(f"{name:<10} {seconds(time)} an epoch")
    if len(medians) == 2:
        print(f"portanet takes {medians['portanet'] / medians['npdl']:.2f} of NumPyDL's time")


if __name__ == "__main__":
    main()
