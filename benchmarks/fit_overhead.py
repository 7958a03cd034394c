"""Overhead of `fit` over the bare step, for a step of a few milliseconds: `python -m benchmarks.fit_overhead`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np

import portanet
from benchmarks.timing import interleaved, machine, seconds, use_threads
from portanet import layers
from portanet.training import TrainingRun

BATCH, BATCHES = 128, 20
generator = np.random.default_rng(0)
X = generator.standard_normal((BATCH * BATCHES, 784)).astype("float32")
Y = generator.integers(0, 10, BATCH * BATCHES)


def model() -> Any:
    net = portanet.Sequential([layers.Input((784,)), layers.Dense(320, "relu"), layers.Dense(320, "relu")])
    net.add(layers.Dense(10))
    loss = portanet.losses.SparseCategoricalCrossentropy(from_logits=True)
    net.compile("adam", loss, metrics=["accuracy"])
    return net


def bare() -> Callable[[], Any]:
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
            params, state, slots, _ = run.step(params, state, slots, x, y, weight)

    return epoch


def custom_loop() -> Callable[[], Any]:
    """A custom training loop with `TrainingRun`."""
    net = model()
    run = TrainingRun(net)

    def epoch() -> None:
        totals = net.totals()
        for i in range(0, len(X), BATCH):
            totals.add(run(X[i : i + BATCH], Y[i : i + BATCH]))
        totals.logs()

    return epoch


def fit(x: Any, **options: Any) -> Callable[[], Any]:
    net = model()
    return lambda: net.fit(x, Y, batch_size=BATCH, verbose=0, **options)


def main() -> None:
    use_threads(2)
    with tempfile.TemporaryDirectory() as folder:
        np.save(f"{folder}/x.npy", X)
        mapped = np.load(f"{folder}/x.npy", mmap_mode="r")
        contestants = {
            "the bare step": bare(),
            "a custom loop": custom_loop(),
            "fit, in order": fit(X, shuffle=False, check_finite=False),
            "fit, shuffled, with all checks": fit(X),
            "fit, a mapped file, shuffled": fit(mapped),
        }
        times = interleaved(contestants, rounds=25, turn=0.1)
    print(machine("numpy"))
    base = times["the bare step"]
    print("\n| NumPy, MLP 784-320-320-10, batch 128, Adam, accuracy | a step | over the bare step |\n|---|---|---|")
    for name, time in times.items():
        print(f"| {name} | {seconds(time / BATCHES)} | {100 * (time / base - 1):+.1f} % |")


if __name__ == "__main__":
    main()
