"""A recurrent network learns to write like Shakespeare, one character after the other.

Usage: python examples/shakespeare.py TEXT [MINUTES]

TEXT is a file such as tiny_shakespeare.txt (https://github.com/karpathy/char-rnn, data/tinyshakespeare/input.txt).
Training ends when the loss on the last tenth of the text falls below 1.75 nats a character, or after MINUTES
(by default 20); then a sample is printed.
"""

from __future__ import annotations

import pathlib
import sys
import time
from typing import Any

import numpy as np

import portanet
from portanet import layers

WINDOW, UNITS, GOAL = 128, 256, 1.75


def windows(codes: Any) -> tuple[Any, Any]:
    """Pieces of text, and the same one character later: what is to be foretold."""
    size = (len(codes) - 1) // WINDOW * WINDOW
    return codes[:size].reshape(-1, WINDOW), codes[1 : size + 1].reshape(-1, WINDOW)


def network(characters: int) -> Any:
    """Characters in, scores of the next character out."""
    model = portanet.Sequential([layers.Input((WINDOW,)), layers.Embedding(characters, 64)])
    model.add(layers.LSTM(UNITS, return_sequences=True))
    model.add(layers.Dense(characters))
    loss = portanet.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(portanet.optimizers.Adam(0.004, clipnorm=1.0), loss)
    return model


def sample(model: Any, characters: list[str], length: int, temperature: float = 0.6, seed: int = 0) -> str:
    """Text by the network: each character drawn by its probability, which a low `temperature` sharpens."""
    embedding, memory, scores = model.layers
    rng, states = np.random.default_rng(seed), memory.cell.get_initial_state(1)
    code, text = characters.index("\n"), ""
    for _ in range(length):
        output, states = memory.cell(embedding(portanet.asarray(np.asarray([code]))), states)
        logits = portanet.to_host(scores(output))[0].astype("float64") / temperature
        p = np.exp(logits - logits.max())
        code = int(rng.choice(len(p), p=p / p.sum()))
        text += characters[code]
    return text


def main() -> None:
    """Train, print a line for each reading of the text, then a sample."""
    text = pathlib.Path(sys.argv[1]).read_text()
    limit = float(sys.argv[2]) if len(sys.argv) > 2 else 20.0
    characters = sorted(set(text))
    codes = np.searchsorted(characters, list(text)).astype("int32")
    cut = len(codes) * 9 // 10
    portanet.random.set_seed(1)
    model, known, unseen = network(len(characters)), windows(codes[:cut]), windows(codes[cut:])
    start, loss, reading = time.perf_counter(), np.inf, 0
    while loss > GOAL and time.perf_counter() - start < 60 * limit:
        found = model.fit(*known, batch_size=32, initial_epoch=reading, epochs=reading + 1, verbose=0)
        reading, loss = reading + 1, model.evaluate(*unseen, batch_size=128, verbose=0)
        minutes, work = (time.perf_counter() - start) / 60, time.process_time() / 60
        print(
            f"reading {reading}: loss {found.history['loss'][0]:.3f}, on unseen text {loss:.3f} nats a character, "
            f"{minutes:.1f} min ({work:.1f} min of processor time)",
            flush=True,
        )
    print(sample(model, characters, 600))


if __name__ == "__main__":
    main()
