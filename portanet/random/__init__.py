"""The seed, and random numbers that are the same on every backend.

Initial weights, shuffling and splitting are drawn on the host, by NumPy's generators (`host_generator`). Masks, noise
and what else is drawn in a step come from counters: element i of draw number `step` of the stream `key` is a hash of
(key, step, i), see `portanet.random.streams`. So draws do not depend on their order, on threads or on the device, a
step that draws can be compiled, and a run is resumed from its counters alone. The global generators of the array
libraries are not touched.
"""

from __future__ import annotations

from portanet.random.seeds import get_seed, host_generator, next_unowned, set_seed, stream_key, use_seed

__all__ = ["get_seed", "host_generator", "next_unowned", "set_seed", "stream_key", "use_seed"]
