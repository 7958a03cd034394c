"""Work on the host's cores: pieces of a batch on threads, with BLAS held to one thread meanwhile.

One product of matrices uses all cores by itself, but what lies between products (gathering, adding, copying) does not,
and NumPy lets go of the interpreter while it computes. Pieces are of a size that the caller chooses, never of one
that depends on the number of threads, and sums are taken in their order: so results do not depend on it either.
"""

from __future__ import annotations

import contextvars
import functools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import numpy as np
import threadpoolctl

from portanet.backends.base import Array

_pools: dict[int, ThreadPoolExecutor] = {}
_lock = threading.Lock()
_holders = [0]
_before: list[tuple[Any, int]] = []
_owed: dict[int, int] = {}


def _forget_threads() -> None:
    """Threads do not survive a fork."""
    global _lock
    _lock = threading.Lock()
    _pools.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)


@functools.cache
def cores() -> int:
    """The number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@functools.cache
def _blas() -> list[Any]:
    """The linear algebra libraries in this process whose threads can be told how many to be."""
    found = threadpoolctl.ThreadpoolController().lib_controllers
    return [library for library in found if library.user_api == "blas"]


def thread_count() -> int:
    """How many threads pieces run on: as many as the user lets BLAS have, at most one for each core."""
    with _lock:
        counts = [count for _, count in _before] or [library.num_threads for library in _blas()]
    return min(cores(), max(counts, default=cores()))


@contextmanager
def single_threaded_blas() -> Iterator[None]:
    """Hold BLAS to one thread; the last of several callers to leave gives its threads back.

    OpenBLAS takes no orders from a second thread once one has given any. What could not be given back for that reason
    is remembered, and given back by the next caller that can.
    """
    with _lock:
        if not _holders[0]:
            _before[:] = [(library, _owed.pop(id(library), library.num_threads)) for library in _blas()]
        for library, _ in _before:
            library.set_num_threads(1)
        _holders[0] += 1
    try:
        yield
    finally:
        with _lock:
            _holders[0] -= 1
            if not _holders[0]:
                for library, count in _before:
                    library.set_num_threads(count)
                    if library.num_threads != count:
                        _owed[id(library)] = count
                _before.clear()


def run_pieces(run: Callable[[int], None], count: int) -> None:
    """Call `run(0)`, ..., `run(count - 1)` on the threads there are; the calling thread takes its share.

    Raises:
        Exception: What a call raised; the other threads stop before their next piece.
    """
    threads = min(count, thread_count())
    with single_threaded_blas():
        if threads < 2:
            for i in range(count):
                run(i)
            return
        turn = iter(range(count))
        failed = threading.Event()

        def work() -> None:
            while not failed.is_set():
                with _lock:
                    i = next(turn, None)
                if i is None:
                    return
                try:
                    run(i)
                except BaseException:
                    failed.set()
                    raise

        with _lock:
            pool = _pools.get(threads)
            if pool is None:
                pool = _pools[threads] = ThreadPoolExecutor(threads - 1, "portanet")
        # A context of its own for each thread: np.errstate and the choice of a backend follow the caller.
        helpers = [pool.submit(contextvars.copy_context().run, work) for _ in range(threads - 1)]
        try:
            work()
        finally:
            # One that has not begun has nothing left to do; to wait for it could block pieces made of pieces.
            running = [helper for helper in helpers if not helper.cancel()]
            for helper in running:
                helper.exception()
        for helper in running:
            helper.result()


def map_chunks(function: Callable[..., Any], arrays: Sequence[Array], rows: int, total: bool = False) -> Any:
    """`Backend.map_chunks` for NumPy."""
    count = arrays[0].shape[0]
    if count <= rows:
        return function(*arrays)
    starts = range(0, count, rows)
    parts: list[tuple[Array, ...]] = [()] * len(starts)
    joined: list[Array] = []
    several: list[bool] = []
    lock = threading.Lock()

    def run(i: int) -> None:
        piece = slice(starts[i], starts[i] + rows)
        found = function(*[x[piece] for x in arrays])
        results = found if isinstance(found, tuple) else (found,)
        with lock:
            if not several:
                several.append(isinstance(found, tuple))
                if not total:
                    joined.extend(np.empty((count, *x.shape[1:]), dtype=x.dtype) for x in results)
        if total:
            parts[i] = results
        else:
            for out, x in zip(joined, results, strict=True):
                out[piece] = x

    run_pieces(run, len(starts))
    if total:
        joined.extend(functools.reduce(np.add, each) for each in zip(*parts, strict=True))
    return tuple(joined) if several[0] else joined[0]
