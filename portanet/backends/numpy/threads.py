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
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

import numpy as np
import threadpoolctl

from portanet.backends.base import Array

_helpers: list[threading.Thread] = []
_jobs: SimpleQueue[tuple[contextvars.Context, _Job]] = SimpleQueue()
_here = threading.local()
_lock = threading.Lock()
_holders = [0]
_working = [0]
_before: list[tuple[Any, int]] = []
_owed: dict[int, int] = {}


def _forget_threads() -> None:
    """Threads do not survive a fork, nor does what those held that were not the caller's."""
    global _jobs, _lock
    _jobs, _lock = SimpleQueue(), threading.Lock()
    _working[0] = 1 if in_a_piece() else 0
    _helpers.clear()
    _holders[0] = getattr(_here, "holding", 0)
    if not _holders[0]:
        _owed.update({id(library): count for library, count in _before})
        _before.clear()


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


def has_cores() -> bool:
    """Whether the cores are the caller's, since it told BLAS to leave them."""
    holding: int = getattr(_here, "holding", 0)
    return holding > 0


def in_a_piece() -> bool:
    """Whether the caller computes a piece, and may not be alone at work."""
    busy: bool = getattr(_here, "busy", False)
    return busy


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
    _here.holding = getattr(_here, "holding", 0) + 1
    try:
        yield
    finally:
        _here.holding -= 1
        with _lock:
            _holders[0] -= 1
            if not _holders[0]:
                for library, count in _before:
                    library.set_num_threads(count)
                    if library.num_threads != count:
                        _owed[id(library)] = count
                _before.clear()


def run_pieces(run: Callable[[int], Any], count: int) -> None:
    """Call `run(0)`, ..., `run(count - 1)` on the threads there are; the calling thread takes its share.

    Pieces of a piece stay on its thread, as long as others keep the other threads busy.

    Raises:
        Exception: What a call raised; the other threads stop before their next piece.
    """
    if count < 2:
        with single_threaded_blas():
            for i in range(count):
                run(i)
        return
    limit = thread_count()
    threads = min(count, max(1, limit - _working[0] + 1) if in_a_piece() else limit)
    with single_threaded_blas():
        job = _Job(run, count)
        _start_helpers(limit - 1)
        for _ in range(threads - 1):
            # A context of its own for each thread: np.errstate and the choice of a backend follow the caller.
            _jobs.put((contextvars.copy_context(), job))
        try:
            job.work()
        finally:
            errors = job.close()
        if errors:
            raise errors[0]


class _Job:
    """Pieces that several threads take one after the other."""

    def __init__(self, run: Callable[[int], Any], count: int) -> None:
        self.run = run
        self.turn = iter(range(count))
        self.helpers = 0
        self.closed = False
        self.done: SimpleQueue[BaseException | None] = SimpleQueue()

    def work(self) -> None:
        """Take pieces until there are no more."""
        outer = in_a_piece()
        if not outer:
            _here.busy = True
            with _lock:
                _working[0] += 1
        try:
            while True:
                with _lock:
                    i = None if self.closed else next(self.turn, None)
                if i is None:
                    return
                self.run(i)
        except BaseException:
            self.closed = True
            raise
        finally:
            if not outer:
                _here.busy = False
                with _lock:
                    _working[0] -= 1

    def help(self) -> None:
        """What a helper does; one that comes late has nothing to do, and nobody waits for it."""
        with _lock:
            if self.closed:
                return
            self.helpers += 1
        error = None
        try:
            self.work()
        except BaseException as found:
            error = found
        self.done.put(error)

    def close(self) -> list[BaseException]:
        """Wait for the helpers that have begun; what they raised."""
        with _lock:
            self.closed = True
        found = [self.done.get() for _ in range(self.helpers)]
        return [error for error in found if error is not None]


def _start_helpers(count: int) -> None:
    with _lock:
        while len(_helpers) < count:
            _helpers.append(threading.Thread(target=_serve, args=(_jobs,), name="portanet", daemon=True))
            _helpers[-1].start()


def _serve(jobs: SimpleQueue[tuple[contextvars.Context, _Job]]) -> None:
    while True:
        context, job = jobs.get()
        context.run(job.help)
        del context, job  # keep no arrays while waiting


def slices(count: int, size: int) -> list[slice]:
    """Consecutive slices of a size, the last of what is left."""
    return [slice(i, min(i + size, count)) for i in range(0, count, size)]


def map_parts(function: Callable[[Any], Any], parts: Sequence[Any]) -> list[Any]:
    """`Backend.map_parts` for NumPy."""
    found: list[Any] = [None] * len(parts)

    def run(i: int) -> None:
        found[i] = function(parts[i])

    run_pieces(run, len(parts))
    return found


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


ELEMENTS = 2**17
"""Elements of a piece of elementwise work: with fewer, threads wait for each other, since each call takes the
interpreter."""


def map_elements(function: Callable[..., Any], args: Sequence[Any]) -> Any:
    """`Backend.map_elements` for NumPy: in pieces along the first axis, which stay in a core's cache."""
    arrays = [x for x in args if isinstance(x, np.ndarray)]
    largest = max(arrays, key=lambda x: x.size, default=None)
    if largest is None or largest.size < 2 * ELEMENTS:
        return function(*args)
    shape = largest.shape
    if all(x.shape == shape and x.flags.c_contiguous for x in arrays):
        args = [x.reshape(-1) if isinstance(x, np.ndarray) else x for x in args]
    elif any(x.ndim > len(shape) for x in arrays):
        return function(*args)
    whole = next(x for x in args if isinstance(x, np.ndarray) and x.size == largest.size)
    rows = max(1, ELEMENTS * whole.shape[0] // whole.size)
    divided = [isinstance(x, np.ndarray) and x.ndim == whole.ndim and x.shape[0] == whole.shape[0] for x in args]
    results: list[Array] = []
    several: list[bool] = []
    lock = threading.Lock()

    def run(i: int) -> None:
        piece = slice(i * rows, (i + 1) * rows)
        seen = [x[piece] if cut else x for x, cut in zip(args, divided, strict=True)]
        found = function(*seen)
        parts = found if isinstance(found, tuple) else (found,)
        with lock:
            if not several:
                several.append(isinstance(found, tuple))
                for part in parts:  # what was changed in place is there already
                    same = next((x for x, y in zip(args, seen, strict=True) if y is part), None)
                    results.append(np.empty((whole.shape[0], *part.shape[1:]), part.dtype) if same is None else same)
        for out, part in zip(results, parts, strict=True):
            target = out[piece]
            if not np.shares_memory(target, part):
                target[...] = part

    run_pieces(run, -(-whole.shape[0] // rows))
    finished = [x.reshape(shape) if x.ndim != len(shape) else x for x in results]
    return tuple(finished) if several[0] else finished[0]
