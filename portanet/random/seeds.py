"""The seed, and the streams that are named by it and a path."""

from __future__ import annotations

import contextlib
import hashlib
import secrets
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass

import numpy as np

from portanet import checks


@dataclass
class _Seed:
    """A seed, None before it was chosen or drawn, and how many layers outside models were built under it."""

    value: int | None = None
    unowned: int = 0
    in_block: bool = False
    """Whether it was chosen inside `use_seed`."""


_default = [_Seed()]
"""The main thread's choice, for contexts that have made none."""
_local: ContextVar[_Seed | None] = ContextVar("portanet_seed", default=None)


def _in_use() -> _Seed:
    return _local.get() or _default[0]


def _in_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def set_seed(seed: int) -> None:
    """Choose the seed of everything random that is built from here on: weights, masks, shuffling.

    The choice holds for the current context (thread or asyncio task), as with `set_backend`. A context that has chosen
    nothing follows the main thread's latest choice.

    Args:
        seed: The seed, an integer.

    Example:
        >>> import portanet
        >>> portanet.random.set_seed(7)
        >>> portanet.random.get_seed()
        7
    """
    chosen = _Seed(checks.integer("seed", seed, least=0), in_block=_in_use().in_block)
    _local.set(chosen)
    if _in_main_thread() and not chosen.in_block:
        _default[:] = [chosen]


@contextlib.contextmanager
def use_seed(seed: int) -> Iterator[None]:
    """Like `set_seed`, for a `with` block in this context (thread or asyncio task) only; then all is as it was.

    Args:
        seed: The seed, an integer.

    Example:
        >>> import portanet
        >>> portanet.random.set_seed(7)
        >>> with portanet.random.use_seed(8):
        ...     portanet.random.get_seed()
        8
        >>> portanet.random.get_seed()
        7
    """
    token = _local.set(_Seed(checks.integer("seed", seed, least=0), in_block=True))
    try:
        yield
    finally:
        _local.reset(token)


@contextlib.contextmanager
def keep_seed() -> Iterator[None]:
    """In a `with` block, let another thread than the main one keep its seed, whatever the main thread chooses."""
    if _in_main_thread() or _local.get() is not None:
        yield
        return
    token = _local.set(_in_use())
    try:
        yield
    finally:
        _local.reset(token)


def get_seed() -> int:
    """The seed in use; where none was chosen, one is drawn once from the operating system.

    Example:
        >>> with use_seed(7):
        ...     get_seed()
        7
    """
    current = _in_use()
    if current.value is None:
        current.value = secrets.randbits(31)
    return current.value


def next_unowned() -> int:
    """A number for the next layer that belongs to no model, so that two such layers do not start alike.

    Example:
        >>> next_unowned() < next_unowned()
        True
    """
    current = _in_use()
    current.unowned += 1
    return current.unowned - 1


def host_generator(*path: str | int, seed: int | None = None) -> np.random.Generator:
    """NumPy's generator for one purpose, named by a path; it depends on seed and path alone, not on other draws.

    Args:
        *path: Names and numbers of what draws, such as the path of a variable.
        seed: A seed of its own; None for the one in use.

    Example:
        >>> host_generator("model/dense/kernel", seed=0).integers(0, 2, 3).shape
        (3,)
    """
    chosen = get_seed() if seed is None else checks.integer("seed", seed, least=0)
    return np.random.default_rng([chosen, stream_key(*path)])


def stream_key(*path: str | int) -> int:
    """A non-negative 31-bit key from a path.

    Args:
        *path: Names and numbers of what draws, such as the path of a layer.

    Example:
        >>> stream_key("dropout") == stream_key("dropout")
        True
    """
    digest = hashlib.sha256("/".join(map(str, path)).encode()).digest()
    return int.from_bytes(digest[:4], "little") >> 1
