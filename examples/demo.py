"""Run examples/digits.py on every available backend; compare the results and plot them."""

from __future__ import annotations

import pathlib
import sys
import time

import matplotlib as mpl
import numpy as np
from digits import train

import portanet

RUNS = (*((name, None) for name in portanet.available_backends()), ("strict", "device1"))
REQUIRED = 0.95


def main(path: str = "demo.png") -> int:
    reasons = portanet.available_backends()
    results = {}
    for backend, device in RUNS:
        name = backend if device is None else f"{backend} {device}"
        if reasons[backend] is not None:
            print(f"{name:<16} skipped: {reasons[backend]}")
            continue
        start = time.perf_counter()
        results[name] = train(backend, device, verbose=0)
        results[name]["seconds"] = time.perf_counter() - start
        print(f"{name:<16} done in {results[name]['seconds']:.1f} s", flush=True)

    joining = [name for name in ("torch", "jax", "mlx", "dpnp") if reasons[name] is not None]
    if joining:
        print(f"\nTo let others join: python -m nox -s demo -- {' '.join(joining)}")

    reference = np.asarray(results["numpy"]["history"]["loss"])
    print(f"\n{'backend':<16}{'held-out accuracy':>18}{'seconds':>10}{'loss curve differs from numpy by':>34}")
    for name, run in results.items():
        difference = np.max(np.abs(np.asarray(run["history"]["loss"]) / reference - 1))
        print(f"{name:<16}{run['history']['val_accuracy'][-1]:>18.4f}{run['seconds']:>10.1f}{difference:>34.1e}")

    plot(results, path)
    print(f"\nLoss curves and predictions: {pathlib.Path(path).resolve()}")
    worst = min(run["history"]["val_accuracy"][-1] for run in results.values())
    print(f"Held-out accuracy is {worst:.4f} or better on every backend (required: {REQUIRED}).")
    return 0 if worst >= REQUIRED else 1


def plot(results: dict, path: str) -> None:
    """Plot the loss of every backend, and held-out digits with their predicted classes, the wrong guesses first."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure = plt.figure(figsize=(11, 4.2), layout="constrained")
    left, right = figure.subfigures(1, 2, width_ratios=(1.1, 1))
    curves = left.subplots()
    for rank, (name, run) in enumerate(results.items()):  # ever thinner lines, since they overlap
        loss = run["history"]["loss"]
        curves.plot(range(1, len(loss) + 1), loss, linewidth=2 * (len(results) - rank), label=name)
    held_out = results["numpy"]["history"]["val_loss"]
    curves.plot(range(1, len(held_out) + 1), held_out, color="gray", linewidth=1, label="held out (numpy)")
    curves.set(xlabel="epoch", ylabel="loss", yscale="log", title="Loss on every backend: one curve")
    curves.legend(frameon=False)

    run = results["numpy"]
    predicted = run["probabilities"].argmax(axis=1)
    wrong = predicted != run["labels"]
    right.suptitle(f"Held-out digits: {wrong.sum()} of {len(wrong)} guesses are wrong, in red", fontsize=11)
    first = np.argsort(~wrong, kind="stable")  # the wrong ones
    for i, axes in zip(first, right.subplots(3, 6).flat, strict=False):
        axes.imshow(run["images"][i].reshape(8, 8), cmap="gray_r")
        title = f"{predicted[i]}, not {run['labels'][i]}" if wrong[i] else str(predicted[i])
        axes.set_title(title, color="red" if wrong[i] else "black", fontsize=10)
        axes.axis("off")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
