"""The seed, and the streams that are named by it and a path."""

from __future__ import annotations

import hashlib
import secrets

import numpy as np

_seed: list[int] = []
_unowned = [0]


def set_seed(seed: int) -> None:
    """Choose the seed of everything random that is built from here on: weights, masks, shuffling.

    Example:
        >>> import portanet
        >>> portanet.random.set_seed(7)
        >>> portanet.random.get_seed()
        7
    """
    if not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"Argument `seed` must be a non-negative integer. Received: seed={seed!r}")
    _seed[:] = [int(seed)]
    _unowned[0] = 0


def get_seed() -> int:
    """The seed in use; where none was chosen, one is drawn once from the operating system."""
    if not _seed:
        _seed.append(secrets.randbits(31))
    return _seed[0]


def next_unowned() -> int:
    """A number for the next layer that belongs to no model, so that two such layers do not start alike."""
    _unowned[0] += 1
    return _unowned[0] - 1


def host_generator(*path: str | int, seed: int | None = None) -> np.random.Generator:
    """NumPy's generator for one purpose, named by a path; it depends on seed and path alone, not on other draws."""
    return np.random.default_rng([get_seed() if seed is None else seed, stream_key(*path)])


def stream_key(*path: str | int) -> int:
    """A non-negative 31-bit key from a path."""
    digest = hashlib.sha256("/".join(map(str, path)).encode()).digest()
    return int.from_bytes(digest[:4], "little") >> 1
