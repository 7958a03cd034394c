"""A million random numbers from portanet's counter-based generator, compared with each library's own generator.

Run: python -m benchmarks.random_draws [--size 1000000] [--threads 2]
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import torch

from benchmarks.pages import environment, report
from benchmarks.timing import interleaved, table, use_threads
from portanet.backends import Backend, make_backend
from portanet.random import stream_key, streams

KEY = stream_key(0, "benchmark")


def portanet_draws(backend: Backend, size: int) -> dict[str, Callable[[], Any]]:
    """The draws of portanet, compiled where the library compiles."""
    draws = {
        "mask": lambda step: streams.bernoulli(KEY, step, 0.8, (size,)),
        "uniform": lambda step: streams.uniform(KEY, step, (size,)),
        "normal": lambda step: streams.normal(KEY, step, (size,)),
        "truncated normal": lambda step: streams.truncated_normal(KEY, step, (size,)),
        "integers below 10": lambda step: streams.integers(KEY, step, (size,), 0, 10),
        "permutation": lambda step: streams.permutation(KEY, step, size),
    }
    step = backend.from_host(np.asarray(3, dtype="int32"))

    def bind(draw: Callable[[Any], Any]) -> Callable[[], Any]:
        compiled = backend.compile(draw)
        return lambda: wait(compiled(step))

    return {task: bind(draw) for task, draw in draws.items()}


def wait(x: Any) -> Any:
    return jax.block_until_ready(x) if isinstance(x, jax.Array) else x


def library_draws(size: int) -> dict[str, dict[str, Callable[[], Any]]]:
    """The same draws by the libraries' generators, in float32 where supported."""
    rng = np.random.default_rng(0)
    key = jax.random.key(0)
    mask = jax.jit(lambda key: jax.random.bernoulli(key, 0.8, (size,)))
    uniform = jax.jit(lambda key: jax.random.uniform(key, (size,)))
    normal = jax.jit(lambda key: jax.random.normal(key, (size,)))
    truncated = jax.jit(lambda key: jax.random.truncated_normal(key, -2, 2, (size,)))
    integers = jax.jit(lambda key: jax.random.randint(key, (size,), 0, 10))
    permutation = jax.jit(lambda key: jax.random.permutation(key, size))
    return {
        "numpy": {
            "mask": lambda: rng.random(size, dtype="float32") < 0.8,
            "uniform": lambda: rng.random(size, dtype="float32"),
            "normal": lambda: rng.standard_normal(size, dtype="float32"),
            "integers below 10": lambda: rng.integers(0, 10, size, dtype="int32"),
            "permutation": lambda: rng.permutation(size),
        },
        "torch": {
            "mask": lambda: torch.rand(size) < 0.8,
            "uniform": lambda: torch.rand(size),
            "normal": lambda: torch.randn(size),
            "truncated normal": lambda: torch.nn.init.trunc_normal_(torch.empty(size)),
            "integers below 10": lambda: torch.randint(10, (size,), dtype=torch.int32),
            "permutation": lambda: torch.randperm(size),
        },
        "jax": {
            "mask": lambda: mask(key).block_until_ready(),
            "uniform": lambda: uniform(key).block_until_ready(),
            "normal": lambda: normal(key).block_until_ready(),
            "truncated normal": lambda: truncated(key).block_until_ready(),
            "integers below 10": lambda: integers(key).block_until_ready(),
            "permutation": lambda: permutation(key).block_until_ready(),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--write", action="store_true", help="write the results into the pages")
    options = parser.parse_args()
    use_threads(options.threads)
    how = f"{environment('numpy', 'torch', 'jax')}; {options.rounds} rounds. `python -m benchmarks.random_draws`"
    parts = {}
    for name, library in library_draws(options.size).items():
        draws = portanet_draws(make_backend(name, None if name == "numpy" else "cpu"), options.size)
        results = {}
        for task, draw in draws.items():
            contestants = {f"portanet on {name}": draw}
            if task in library:
                contestants[name] = library[task]
            results[task] = interleaved(contestants, rounds=options.rounds)
        parts[name] = table(f"{options.size:,} numbers", results, [f"portanet on {name}", name], base=name)
    report("random_draws", parts, how, options.write)


if __name__ == "__main__":
    main()
