"""The seed, and random numbers that are the same on every backend.

Initial weights, shuffling and splitting are drawn on the host, by NumPy's generators (`host_generator`). Masks, noise
and what else is drawn in a step come from counters: element i of draw number `step` of the stream `key` is a hash of
(key, step, i), see `portanet.random.streams`. So draws do not depend on their order, on threads or on the device, a
step that draws can be compiled, and a run is resumed from its counters alone. The global generators of the array
libraries are not touched. `normal`, `uniform` and the other functions of `keras.random` draw from such streams.
"""

from __future__ import annotations

from portanet.random.functions import (
    beta,
    binomial,
    categorical,
    dropout,
    gamma,
    normal,
    randint,
    shuffle,
    truncated_normal,
    uniform,
)
from portanet.random.generator import SeedGenerator
from portanet.random.seeds import get_seed, host_generator, next_unowned, set_seed, stream_key, use_seed

__all__ = [
    "SeedGenerator",
    "beta",
    "binomial",
    "categorical",
    "dropout",
    "gamma",
    "get_seed",
    "host_generator",
    "next_unowned",
    "normal",
    "randint",
    "set_seed",
    "shuffle",
    "stream_key",
    "truncated_normal",
    "uniform",
    "use_seed",
]
