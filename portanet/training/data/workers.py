"""Batches of a data set with numbers, made by several threads or processes."""

from __future__ import annotations

import collections
import contextvars
import random as python_random
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import numpy as np

from portanet import random

_data: Any = None
"""In a process that makes batches: the data set."""


def fetched(
    data: Any, numbers: Iterable[int], workers: int, processes: bool, ahead: int, epoch: int
) -> Generator[Any, None, None]:
    """`data[number]` for each number, in this order; close the generator to end the workers.

    An error in making a batch is raised in its place. In a process, the global generators of NumPy and Python are
    seeded for each batch, so that draws depend on the seed, the epoch and the number alone.

    Args:
        data: The data set. Processes get a copy at the start.
        numbers: Numbers of batches.
        workers: How many threads or processes.
        processes: Whether these are processes; see `multiprocessing.set_start_method` for how they start.
        ahead: How many batches are made or kept in advance.
        epoch: Number of the epoch.

    Example:
        >>> list(fetched("letters", [2, 0, 1], workers=2, processes=False, ahead=2, epoch=0))
        ['t', 'l', 'e']
    """
    pool: Executor
    submit: Callable[[int], Future[Any]]
    if processes:
        pool = ProcessPoolExecutor(workers, initializer=_begin, initargs=(data,))

        def submit(number: int) -> Future[Any]:
            return pool.submit(_fetch, number, random.stream_key(random.get_seed(), "worker", epoch, number))
    else:
        pool = ThreadPoolExecutor(workers, thread_name_prefix="portanet-worker")

        def submit(number: int) -> Future[Any]:
            return pool.submit(contextvars.copy_context().run, batch_of, data, number)

    pending: collections.deque[Future[Any]] = collections.deque()
    given = 0
    try:
        for number in numbers:
            pending.append(submit(number))
            if len(pending) >= ahead:
                yield pending.popleft().result()
                given += 1
        while pending:
            yield pending.popleft().result()
            given += 1
    except BrokenExecutor:
        raise RuntimeError(
            f"A process that makes batches of {type(data).__name__} ended on its own: it ran out of memory, was "
            "killed, or its code ended it. Take fewer workers, smaller batches, or threads "
            f"(use_multiprocessing=False). Received: {given} batches before"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(data: Any) -> None:
    global _data
    _data = data


def _fetch(number: int, key: int) -> Any:
    np.random.seed(key % 2**32)  # noqa: NPY002 -- for data sets that draw from it
    python_random.seed(key)
    return batch_of(_data, number)


def batch_of(data: Any, number: int) -> Any:
    """`data[number]`; a StopIteration, which would end the iteration that it comes up in, becomes another error."""
    try:
        return data[number]
    except StopIteration as error:
        raise RuntimeError(
            f"Method `__getitem__` of {type(data).__name__} must return batch {number}: the length of a data set tells "
            f"where it ends. Received: {error!r}"
        ) from None
