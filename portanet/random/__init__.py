"""Random numbers that are the same on every backend.

Initial weights, shuffling and splitting are drawn on the host, by NumPy's generators (`host_generator`). Masks, noise
and what else is drawn in a step come from counters: element i of draw number `step` of the stream `key` is a hash of
(key, step, i), see `bits`. So draws do not depend on their order, on threads or on the device, a step that draws can be
compiled, and a run is resumed from its counters alone. The global generators of the array libraries are not touched.
"""

from __future__ import annotations

from portanet.random.continuous import normal, truncated_normal, uniform
from portanet.random.counter_based import bernoulli, bits
from portanet.random.discrete import choice, integers, permutation
from portanet.random.seeds import get_seed, host_generator, next_unowned, set_seed, stream_key, use_seed

__all__ = [
    "bernoulli",
    "bits",
    "choice",
    "get_seed",
    "host_generator",
    "integers",
    "next_unowned",
    "normal",
    "permutation",
    "set_seed",
    "stream_key",
    "truncated_normal",
    "uniform",
    "use_seed",
]
