"""A recurrent network that learns to write like Shakespeare, character by character.

Usage: python examples/shakespeare.py TEXT [MINUTES]

TEXT is a file such as tiny_shakespeare.txt (https://github.com/karpathy/char-rnn, data/tinyshakespeare/input.txt).
Training ends when the loss on the last tenth of the text falls below 1.75 nats per character, or after MINUTES
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
    """Windows of text, and their targets: the same windows one character later."""
    size = (len(codes) - 1) // WINDOW * WINDOW
    return codes[:size].reshape(-1, WINDOW), codes[1 : size + 1].reshape(-1, WINDOW)


def network(characters: int) -> Any:
    """A network from characters to logits of the next characters."""
    model = portanet.Sequential([layers.Input((WINDOW,)), layers.Embedding(characters, 64)])
    model.add(layers.LSTM(UNITS, return_sequences=True))
    model.add(layers.Dense(characters))
    loss = portanet.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(portanet.optimizers.Adam(0.004, clipnorm=1.0), loss)
    return model


def sample(model: Any, characters: list[str], length: int, temperature: float = 0.6, seed: int = 0) -> str:
    """Sample text from the network; a low `temperature` sharpens the probabilities."""
    embedding, lstm, dense = model.layers
    rng, states = np.random.default_rng(seed), lstm.cell.get_initial_state(1)
    code, text = characters.index("\n"), ""
    for _ in range(length):
        output, states = lstm.cell(embedding(portanet.asarray(np.asarray([code]))), states)
        logits = portanet.to_host(dense(output))[0].astype("float64") / temperature
        p = np.exp(logits - logits.max())
        code = int(rng.choice(len(p), p=p / p.sum()))
        text += characters[code]
    return text


def main() -> None:
    """Train, print one line per epoch, then a sample."""
    text = pathlib.Path(sys.argv[1]).read_text()
    limit = float(sys.argv[2]) if len(sys.argv) > 2 else 20.0
    characters = sorted(set(text))
    codes = np.searchsorted(characters, list(text)).astype("int32")
    split = len(codes) * 9 // 10
    portanet.random.set_seed(1)
    model, train, test = network(len(characters)), windows(codes[:split]), windows(codes[split:])
    start, loss, epoch = time.perf_counter(), np.inf, 0
    while loss > GOAL and time.perf_counter() - start < 60 * limit:
        history = model.fit(*train, batch_size=32, initial_epoch=epoch, epochs=epoch + 1, verbose=0)
        epoch, loss = epoch + 1, model.evaluate(*test, batch_size=128, verbose=0)
        minutes, cpu_minutes = (time.perf_counter() - start) / 60, time.process_time() / 60
        print(
            f"epoch {epoch}: loss {history.history['loss'][0]:.3f}, test loss {loss:.3f} nats per character, "
            f"{minutes:.1f} min ({cpu_minutes:.1f} min of CPU time)",
            flush=True,
        )
    print(sample(model, characters, 600))


if __name__ == "__main__":
    main()
