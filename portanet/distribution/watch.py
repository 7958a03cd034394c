"""A thread that ends the job if what runs on a device waits for processes that do not come."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable

from portanet.distribution.processes import Processes

TURN = 0.25
"""Seconds from one look to the next."""


class Watch:
    """Looks, beside the thread that computes, whether what it has begun on its device is done in time.

    Where MPI allows calls of one thread alone it does not look.

    Args:
        processes: The processes of the job.
    """

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._latest: deque[Callable[[], bool]] = deque(maxlen=1)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        if processes.threads_may_call:
            self._thread.start()

    def follow(self, done: Callable[[], bool]) -> None:
        """Look whether something that has begun is done.

        Args:
            done: What tells so; what is followed from now on was begun later, and is done later.
        """
        self._latest.append(done)

    def _look(self) -> None:
        done, since = None, 0.0
        while not self._ended.wait(TURN):
            if done is not None and not done():
                self._processes.waits_since(since)
            else:
                done, since = self._latest.pop() if self._latest else None, time.monotonic()

    def end(self) -> None:
        """Look no more."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()
