"""Batches of a data set with numbers, made by several threads or processes."""

from __future__ import annotations

import collections
import contextvars
import random as python_random
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
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
            return pool.submit(contextvars.copy_context().run, data.__getitem__, number)

    pending: collections.deque[Future[Any]] = collections.deque()
    try:
        for number in numbers:
            pending.append(submit(number))
            if len(pending) >= ahead:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _begin(data: Any) -> None:
    global _data
    _data = data


def _fetch(number: int, key: int) -> Any:
    np.random.seed(key % 2**32)  # noqa: NPY002 -- for data sets that draw from it
    python_random.seed(key)
    return _data[number]
