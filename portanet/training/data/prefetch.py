"""Batches prepared in advance, in a thread of their own."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Generator, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

from portanet.backends import get_backend

if TYPE_CHECKING:
    from portanet.backends.transfers import Transfers

T = TypeVar("T")


def prefetch(batches: Iterator[T], depth: int, transfers: Transfers | None = None) -> Generator[T, None, None]:
    """The same batches in the same order, up to `depth` of them prepared in advance.

    They are made in a thread, under the context (the backend in use) of the caller; an error in making one is raised
    when that batch is requested. Close the generator to end the thread; it ends when the batch under way is made.

    Args:
        batches: What makes them; a generator is closed at the end.
        depth: How many to prepare; 0 for none, without a thread.
        transfers: What sends their arrays to a device.

    Example:
        >>> list(prefetch(iter([1, 2, 3]), depth=2))
        [1, 2, 3]
    """

    def sent() -> Any:
        return None if transfers is None else transfers.sent()

    def arrive(sent: Any) -> None:
        if transfers is not None:
            transfers.arrive(sent)

    if depth == 0:
        for batch in batches:
            arrive(sent())
            yield batch
        return
    ready: queue.SimpleQueue[tuple[Any, Any, BaseException | None]] = queue.SimpleQueue()
    free = threading.Semaphore(depth)
    stopped = threading.Event()
    end = object()

    def work() -> None:
        try:
            batch = None
            while batch is not end:
                free.acquire()
                if stopped.is_set():
                    break
                batch = next(batches, end)
                get_backend().start(batch)  # which other threads cannot compute in every library
                ready.put((batch, sent(), None))
        except BaseException as error:
            ready.put((end, None, error))
        finally:
            close = getattr(batches, "close", None)
            if close is not None:
                close()

    thread = threading.Thread(
        target=contextvars.copy_context().run, args=(work,), name="portanet-prefetch", daemon=True
    )
    thread.start()
    try:
        while True:
            batch, known, error = ready.get()
            if error is not None:
                raise error
            if batch is end:
                return
            free.release()
            arrive(known)
            yield batch
    finally:
        stopped.set()
        free.release()
        thread.join()
