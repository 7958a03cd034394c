"""Long-term memory of recurrent networks: they read a sequence of symbols and predict the first.

Usage: python examples/remember.py [STEPS ...]     by default 20 and 100

The bias of the gate that keeps the state is initialised to log(u), u uniform from 1 to STEPS - 1, so that forgetting
rates suit the task ("chrono initialisation", Tallec and Ollivier 2018); with the usual initialisation, an LSTM needs
many times as many epochs.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import portanet
from portanet import layers

SYMBOLS = 4


def task(examples: int, steps: int, seed: int) -> tuple[Any, Any]:
    """Random symbols, one-hot, shape (examples, steps, SYMBOLS), and the first of each sequence."""
    symbols = np.random.default_rng(seed).integers(0, SYMBOLS, (examples, steps))
    return np.eye(SYMBOLS, dtype="float32")[symbols], symbols[:, 0]


def long_memory(kind: str, steps: int) -> Callable[..., Any]:
    """An initializer of the bias: the gate that keeps the state is open, to a different degree in each unit."""

    def initializer(shape: tuple[int, ...], generator: np.random.Generator) -> Any:
        bias = np.zeros(shape)
        units = shape[-1] // (4 if kind == "LSTM" else 3)
        open_gate = np.log(generator.uniform(1, steps - 1, units))
        if kind == "LSTM":  # gates i, f, c, o
            bias[units : 2 * units] = open_gate
            bias[:units] = -open_gate
        else:  # gates z, r, h; rows for input and recurrence
            bias[0, :units] = open_gate
        return bias

    return initializer


def learn(kind: str, steps: int, units: int, examples: int, epochs: int, goal: float = 0.99) -> tuple[int, float]:
    """Train until `goal` is reached on test sequences; return the number of epochs and the accuracy."""
    portanet.random.set_seed(0)
    options = {"unit_forget_bias": False} if kind == "LSTM" else {}
    layer = getattr(layers, kind)(units, bias_initializer=long_memory(kind, steps), **options)
    model = portanet.Sequential([layers.Input((steps, SYMBOLS)), layer, layers.Dense(SYMBOLS)])
    loss = portanet.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(portanet.optimizers.Adam(0.01, clipnorm=1.0), loss, metrics=["accuracy"])
    x, y = task(examples, steps, 1)
    test_x, test_y = task(512, steps, 2)
    accuracy = 0.0
    for epoch in range(1, epochs + 1):
        model.fit(x, y, batch_size=32, epochs=1, verbose=0)
        accuracy = model.evaluate(test_x, test_y, verbose=0, return_dict=True)["accuracy"]
        if accuracy >= goal:
            return epoch, accuracy
    return epochs, accuracy


def main() -> None:
    """Print one line per length and kind."""
    for steps in [int(arg) for arg in sys.argv[1:]] or [20, 100]:
        for kind in ("GRU", "LSTM"):
            start = time.perf_counter()
            size = (16, 512, 40) if steps <= 20 else (32, 1024, 100)
            epochs, accuracy = learn(kind, steps, *size)
            seconds = time.perf_counter() - start
            print(
                f"{kind:4} {steps:4} steps: accuracy {accuracy:.3f} after {epochs} epochs, {seconds:.0f} s", flush=True
            )


if __name__ == "__main__":
    main()
