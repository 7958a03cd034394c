"""Growth of the cost of layers with batch size, time steps, and the product of channels and filters.

`python -m benchmarks.growth PLOT.svg` times layers on NumPy, forward and backward to the input, doubling one size at a
time. It prints the times and the exponent of their growth (1 is linear), and plots them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

import portanet
from benchmarks.timing import interleaved, machine, seconds, use_threads
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
    portanet.set_backend("numpy")
    use_threads(2)
    print(machine("numpy"))
    results = {}
    for title, make in SWEEPS.items():
        times = list(interleaved({str(n): make(n) for n in SIZES}, rounds=9, turn=0.0).values())
        exponent = float(np.polyfit(np.log(SIZES), np.log(times), 1)[0])
        results[title] = times
        print(f"{title:<40} {'  '.join(seconds(t) for t in times)}  grows as n^{exponent:.2f}")
    if len(sys.argv) > 1:
        plot_growth(results, sys.argv[1])


def plot_growth(results: dict[str, list[float]], path: str) -> None:
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
    figure.savefig(path)


if __name__ == "__main__":
    main()
