"""Work on all available cores: pieces of arrays on threads, with BLAS held to one thread meanwhile.

BLAS divides a product among the cores, but not what lies between products (gathering, adding, copying); and NumPy
releases the interpreter while it computes. Pieces stay in a core's cache. Their sizes follow from shapes alone, and
sums are taken in their order: so results do not depend on the number of threads.
"""

from __future__ import annotations

import contextvars
import functools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from queue import SimpleQueue
from typing import Any

import numpy as np
import threadpoolctl

from portanet.backends.base import Array

ROWS = 2**22
"""Bytes of a piece of rows, with what is computed of them."""

BUFFER = 2**10
"""Elements of NumPy's buffers while it computes pieces: rows that are shorter are copied there before it computes on
them, which with NumPy's 8,192 takes most of the time of sums and products of every second row.
"""
DIRECTLY = ("SkylakeX", "Cooperlake", "SapphireRapids")
"""OpenBLAS's names of the cores for which it has kernels that multiply small matrices without copies of them."""

_helpers: list[threading.Thread] = []
_jobs: SimpleQueue[tuple[contextvars.Context, _Job]] = SimpleQueue()


class _OfThread(threading.local):
    """What each thread knows about itself."""

    busy = False
    """Whether it computes a piece."""
    holding = 0
    """How many blocks of `single_threaded_blas` it is in."""
    plans: tuple[tuple[Plan, ExitStack], ...] = ()
    """The steps that it is in, and what they hold."""


_here = _OfThread()
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
    _holders[0] = _here.holding
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
    libraries = threadpoolctl.ThreadpoolController().lib_controllers
    return [library for library in libraries if library.user_api == "blas"]


@functools.cache
def multiplies_directly() -> bool:
    """Whether products of small matrices are computed without copies of them."""
    return any(getattr(library, "architecture", None) in DIRECTLY for library in _blas())


def has_cores() -> bool:
    """Whether the cores are the caller's, since it told BLAS to leave them."""
    return _here.holding > 0


def in_a_piece() -> bool:
    """Whether the caller computes a piece, and may not be alone at work."""
    return _here.busy


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
    _here.holding = _here.holding + 1
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


@contextmanager
def short_buffers() -> Iterator[None]:
    """Have NumPy compute on rows where they are, if they are not very short."""
    before = np.setbufsize(BUFFER)
    try:
        yield
    finally:
        np.setbufsize(before)


class Plan:
    """Who has the cores during a compiled step: BLAS, or, once the step has worked in pieces, those pieces.

    BLAS threads spin for a while after a product, and would take half a core from the pieces.
    """

    def __init__(self) -> None:
        self.in_pieces = False

    def __enter__(self) -> None:
        _here.plans = (*_here.plans, (self, ExitStack()))
        if self.in_pieces:
            self.hold()

    def __exit__(self, *error: Any) -> None:
        _, held = _here.plans[-1]
        _here.plans = _here.plans[:-1]
        held.close()

    def hold(self) -> None:
        """Hold BLAS to one thread until the step is done."""
        self.in_pieces = True
        _here.plans[-1][1].enter_context(single_threaded_blas())


def in_a_step_of_products() -> bool:
    """Whether the caller is in a step that has not worked in pieces so far, so that BLAS has the cores."""
    return bool(_here.plans) and not has_cores()


def run_pieces(run: Callable[[int], Any], count: int, at_end: bool = False) -> None:
    """Call `run(0)`, ..., `run(count - 1)` on the available threads, including the calling one.

    Pieces of a piece stay on its thread, as long as others keep the other threads busy.

    Args:
        run: Computes a piece.
        count: The number of pieces.
        at_end: Whether they are the last work of a step, after which it makes no difference who has the cores.

    Raises:
        Exception: What a call raised; the other threads stop before their next piece.
    """
    if count < 2:
        with single_threaded_blas(), short_buffers():
            for i in range(count):
                run(i)
        return
    if in_a_step_of_products() and not at_end:
        _here.plans[-1][0].hold()
    limit = thread_count()
    threads = min(count, max(1, limit - _working[0] + 1) if in_a_piece() else limit)
    with single_threaded_blas(), short_buffers():
        job = _Job(run, count)
        _start_helpers(limit - 1)
        for _ in range(threads - 1):
            # A copy of the caller's context per thread, so that np.errstate and the current backend are the caller's.
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
        except BaseException as raised:
            error = raised
        self.done.put(error)

    def close(self) -> list[BaseException]:
        """Wait for the helpers that have begun; what they raised."""
        with _lock:
            self.closed = True
        errors = [self.done.get() for _ in range(self.helpers)]
        return [error for error in errors if error is not None]


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


def map_pieces(function: Callable[[Any], Any], pieces: Sequence[Any]) -> list[Any]:
    """What `function` gives for each of the pieces."""
    results: list[Any] = [None] * len(pieces)

    def run(i: int) -> None:
        results[i] = function(pieces[i])

    run_pieces(run, len(pieces))
    return results


def row_pieces(count: int, size: int, itemsize: int) -> int:
    """In how many pieces rows are computed, of this number of elements of this size."""
    return min(count, -(-count * max(1, size) * itemsize // ROWS))


def map_rows(function: Callable[..., Any], arrays: Sequence[Array | None], size: int, total: bool = False) -> Any:
    """`Backend.map_rows` for NumPy."""
    if in_a_piece():
        return function(*arrays)
    first = next(x for x in arrays if x is not None)
    count = first.shape[0]
    pieces = row_pieces(count, size, first.itemsize)
    if pieces < 2:
        return function(*arrays)
    parts = slices(count, -(-count // pieces))
    if total:
        sums = map_pieces(lambda part: function(*[None if x is None else x[part] for x in arrays]), parts)
        if not isinstance(sums[0], tuple):
            return functools.reduce(np.add, sums)
        return tuple(functools.reduce(np.add, column) for column in zip(*sums, strict=True))
    joined = Joined(function, arrays, [True] * len(arrays), count)
    run_pieces(lambda i: joined.compute(parts[i]), len(parts))
    return joined.results()


class Joined:
    """The results of a function whose arguments are divided: whole arrays, into which it writes part by part.

    Arguments that it changes in place and gives are results already.

    Args:
        function: Gives an array or a tuple of arrays.
        args: The whole arguments.
        divided: Which of them are cut along their first axis, unless they are None.
        count: The size of that axis.
    """

    def __init__(self, function: Callable[..., Any], args: Sequence[Any], divided: Sequence[bool], count: int) -> None:
        self._function, self._args, self._divided, self._count = function, args, divided, count
        self._results: list[Array] = []
        self._several = False
        self._lock = threading.Lock()

    def compute(self, part: slice) -> None:
        """Compute a part; threads may compute different ones at the same time."""
        args = self._args
        seen = [x[part] if cut and x is not None else x for x, cut in zip(args, self._divided, strict=True)]
        given = self._function(*seen)
        pieces = given if isinstance(given, tuple) else (given,)
        with self._lock:
            if not self._results:
                self._several = isinstance(given, tuple)
                for piece in pieces:
                    same = next((x for x, y in zip(args, seen, strict=True) if y is piece), None)
                    whole = np.empty((self._count, *piece.shape[1:]), piece.dtype) if same is None else same
                    self._results.append(whole)
        for whole, piece in zip(self._results, pieces, strict=True):
            target = whole[part]
            if not np.may_share_memory(target, piece):
                target[...] = piece

    def results(self) -> Any:
        """What the function gives, once all parts are computed."""
        return tuple(self._results) if self._several else self._results[0]
