"""A recurrent network learns to write like Shakespeare, one character after the other.

Usage: python examples/shakespeare.py TEXT [MINUTES]

TEXT is a file such as tiny_shakespeare.txt (https://github.com/karpathy/char-rnn, data/tinyshakespeare/input.txt).
Training ends when the loss on the last tenth of the text falls below 1.75 nats a character, or after MINUTES
(by default 20). The text is read as 32 streams side by side; the network's state goes on from window to window, and
gradients stop at the edge of a window (truncated backpropagation through time).
"""

from __future__ import annotations

import pathlib
import sys
import time
from typing import Any

import numpy as np

import portanet
from portanet import layers

STREAMS, WINDOW, UNITS, GOAL = 32, 64, 256, 1.75


def windows(codes: Any) -> tuple[Any, Any]:
    """Inputs and targets (the same, one character later), ordered so that a batch goes on where the last one ended."""
    count = (len(codes) - 1) // (STREAMS * WINDOW)
    size = count * STREAMS * WINDOW
    x, y = (codes[start : start + size].reshape(STREAMS, count, WINDOW) for start in (0, 1))
    return tuple(each.transpose(1, 0, 2).reshape(count * STREAMS, WINDOW) for each in (x, y))


class Writer:
    """The network, and what it is asked to do."""

    def __init__(self, characters: list[str]) -> None:
        self.characters = characters
        self.memory = layers.LSTM(UNITS, return_sequences=True, stateful=True)
        self.loss = portanet.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.model = portanet.Sequential([layers.Input((WINDOW,), batch_size=STREAMS)])
        for layer in (layers.Embedding(len(characters), 64), self.memory, layers.Dense(len(characters))):
            self.model.add(layer)
        self.model.compile(portanet.optimizers.Adam(0.004, clipnorm=1.0), self.loss)

    def read(self, x: Any, y: Any) -> float:
        """Train on all windows, in order; the loss."""
        self.memory.reset_state()
        found = self.model.fit(x, y, batch_size=STREAMS, epochs=1, shuffle=False, verbose=0)
        return found.history["loss"][0]

    def examine(self, x: Any, y: Any) -> float:
        """The loss on all windows, in order."""
        self.memory.reset_state()
        total = 0.0
        for start in range(0, len(x), STREAMS):
            batch = slice(start, start + STREAMS)
            total += float(self.loss(portanet.asarray(y[batch]), self.model(portanet.asarray(x[batch]))))
        return total / (len(x) // STREAMS)

    def write(self, length: int, temperature: float = 0.7, seed: int = 0) -> str:
        """A sample: each character drawn by its probability, which `temperature` sharpens."""
        self.memory.reset_state()
        rng = np.random.default_rng(seed)
        code, text = self.characters.index("\n"), ""
        for _ in range(length):
            scores = self.model(portanet.asarray(np.full((STREAMS, 1), code, dtype="int32")))
            logits = portanet.to_host(scores)[0, 0].astype("float64") / temperature
            p = np.exp(logits - logits.max())
            code = int(rng.choice(len(p), p=p / p.sum()))
            text += self.characters[code]
        return text


def main() -> None:
    """Train, print a line for each reading of the text, then a sample."""
    text = pathlib.Path(sys.argv[1]).read_text()
    limit = float(sys.argv[2]) if len(sys.argv) > 2 else 20.0
    characters = sorted(set(text))
    number = {c: i for i, c in enumerate(characters)}
    codes = np.asarray([number[c] for c in text], dtype="int32")
    cut = len(codes) * 9 // 10
    portanet.random.set_seed(1)
    writer, seen, unseen = Writer(characters), windows(codes[:cut]), windows(codes[cut:])
    start, loss, reading = time.perf_counter(), np.inf, 0
    while loss > GOAL and time.perf_counter() - start < 60 * limit:
        reading += 1
        known, loss = writer.read(*seen), writer.examine(*unseen)
        minutes, work = (time.perf_counter() - start) / 60, time.process_time() / 60
        print(
            f"reading {reading}: loss {known:.3f}, on unseen text {loss:.3f} nats a character, {minutes:.1f} min "
            f"({work:.1f} min of processor time)",
            flush=True,
        )
    print(writer.write(600))


if __name__ == "__main__":
    main()
