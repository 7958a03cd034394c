"""One script on every library, as `examples/demo.py` runs it: `python -m tests.backends.curves` writes the table.

The table of accuracies and loss curves is in docs/backends.md, with the size of each backend's folder. `cupy` is its
stand-in where there is no GPU, which runs portanet's kernels on the processor. Without seconds, for which the machine
must be quiet: the demo prints those.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import runpy
import subprocess
import sys
from collections.abc import Iterator
from unittest import mock

import numpy as np

from portanet.backends import BACKENDS, available_backends
from tests.backends.cupy_standin import in_place_of_cupy

ROOT = pathlib.Path(__file__).parents[2]
PAGE = ROOT / "docs" / "backends.md"
BEGIN, END = "<!-- curves: begin -->\n", "<!-- curves: end -->\n"
DEVICES = {"torch": "cpu", "jax": "cpu", "mlx": "cpu"}
EARLY = 16


def run(name: str) -> dict[str, list[float]]:
    """The history of a run, in a process of its own: libraries set up threads and memory for all others."""
    command = [sys.executable, "-m", "tests.backends.curves", name]
    lines = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    history: dict[str, list[float]] = json.loads(lines[-1])
    return history


def is_standin(name: str) -> bool:
    """Whether a stand-in takes the place of the library."""
    return name == "cupy" and available_backends()[name] is not None


@contextlib.contextmanager
def standin() -> Iterator[None]:
    """CuPy's stand-in, which records no steps."""
    with in_place_of_cupy():
        from portanet.backends.cupy.backend import CupyBackend

        with mock.patch.object(CupyBackend, "records", False):
            yield


def train(name: str) -> None:
    """Print the history of a run as JSON."""
    with standin() if is_standin(name) else contextlib.nullcontext():
        script = runpy.run_path(str(ROOT / "examples" / "digits.py"))
        print(json.dumps(script["train"](name, DEVICES.get(name), verbose=0)["history"]))


def lines_of(name: str) -> int:
    """Lines of the modules in a backend's folder, or of its file."""
    place = ROOT.joinpath(*BACKENDS[name][0].split(".")[:3])
    files = place.glob("*.py") if place.is_dir() else [place.with_suffix(".py")]
    return sum(len(file.read_text().splitlines()) for file in files)


def row(name: str, history: dict[str, list[float]], reference: dict[str, list[float]]) -> str:
    """A line of the table."""
    distance = np.abs(np.asarray(history["loss"]) / reference["loss"] - 1)
    figures = f"{history['val_accuracy'][-1]:.4f} | {max(distance[:EARLY]):.1e} | {max(distance):.1e}"
    return f"| {name}{' (stand-in)' if is_standin(name) else ''} | {figures} | {lines_of(name):,} |"


def main(name: str | None = None) -> int:
    if name is not None:
        train(name)
        return 0
    available = available_backends()
    histories = {name: run(name) for name in BACKENDS if name == "cupy" or available[name] is None}
    heads = ["backend", "held-out accuracy", f"loss differs in {EARLY} epochs", "in all", "lines of its folder"]
    lines = ["", f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    lines += [row(name, history, histories["numpy"]) for name, history in histories.items()]
    head, _, rest = PAGE.read_text().partition(BEGIN)
    PAGE.write_text(head + BEGIN + "\n".join(lines) + "\n\n" + END + rest.partition(END)[2])
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
