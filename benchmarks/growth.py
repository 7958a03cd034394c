"""Growth of the cost of layers with batch size, time steps, and the product of channels and filters.

`python -m benchmarks.growth` times layers on NumPy, forward and backward to the input, doubling one size at a time. It
prints the times and the exponent of their growth (1 is linear); `--write` puts them into the pages, with a plot.
"""

from __future__ import annotations

import argparse
import pathlib
import re
from collections.abc import Callable
from typing import Any

import numpy as np

import portanet
from benchmarks.pages import FOLDER, environment, machine, report
from benchmarks.timing import THREADS, Median, interleaved, seconds, use_threads
from portanet import layers
from portanet.autodiff import vjp

SIZES = (1, 2, 4, 8)


def gradient(layer: Any, x: Any) -> Callable[[], Any]:
    """Forward, and backward to the input."""
    g = np.ones_like(layer(x))
    return lambda: vjp(layer, x)[1](g)


def draw(*shape: int) -> Any:
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


SWEEPS: dict[str, Callable[[int], Callable[[], Any]]] = {
    "convolution, batch 16 n": lambda n: gradient(layers.Conv2D(32, 3), draw(16 * n, 26, 26, 32)),
    "convolution, channels x filters 256 n": lambda n: gradient(layers.Conv2D(16, 3), draw(64, 26, 26, 16 * n)),
    "LSTM, batch 32 n": lambda n: gradient(layers.LSTM(128, return_sequences=True), draw(32 * n, 50, 64)),
    "LSTM, time 25 n": lambda n: gradient(layers.LSTM(128, return_sequences=True), draw(64, 25 * n, 64)),
    "dense on sequences, time 64 n": lambda n: gradient(layers.Dense(512), draw(32, 64 * n, 128)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--write", action="store_true", help="write the results into the pages, and plot them")
    args = parser.parse_args()
    portanet.set_backend("numpy")
    use_threads()
    how = f"{environment('numpy')}; {args.rounds} rounds, {THREADS} threads. `python -m benchmarks.growth`"
    results = {}
    lines = [f"| | n = {' | '.join(map(str, SIZES))} | grows as |", "|---" * (len(SIZES) + 2) + "|"]
    for title, make in SWEEPS.items():
        times = list(interleaved({str(n): make(n) for n in SIZES}, args.rounds).values())
        exponent = float(np.polyfit(np.log(SIZES), np.log(times), 1)[0])
        results[title] = times
        lines.append(f"| {title} | {' | '.join(map(seconds, times))} | n^{exponent:.2f} |")
    plot = f"growth-{re.sub('[^a-z0-9]+', '-', machine().lower()).strip('-')}.svg"
    if args.write:
        plot_growth(results, FOLDER / plot)
    lines += ["", f"![time over size]({plot})"]
    report("growth", {"Forward, and backward to the input": "\n".join(lines)}, how, args.write)


def plot_growth(results: dict[str, list[Median]], path: pathlib.Path) -> None:
    """Plot the times relative to the first on logarithmic axes."""
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(6, 4), layout="constrained")
    axes.plot(SIZES, SIZES, "--", color="grey", label="linear")
    for title, times in results.items():
        axes.plot(SIZES, [t / times[0] for t in times], "o-", label=title)
    axes.set(xscale="log", yscale="log", xlabel="n", ylabel="time relative to n = 1", xticks=SIZES, yticks=SIZES)
    axes.set_xticklabels(map(str, SIZES))
    axes.set_yticklabels(map(str, SIZES))
    axes.legend(fontsize="small")
    figure.savefig(path, metadata={"Date": None})


if __name__ == "__main__":
    main()
