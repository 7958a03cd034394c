"""Ctrl-C between steps rather than within them."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any


@contextlib.contextmanager
def uninterrupted() -> Iterator[None]:
    """Let a Ctrl-C in a `with` block take effect at its end, so that weights changed in place are never left half-done.

    A second Ctrl-C takes effect at once. Where Ctrl-C does not raise KeyboardInterrupt (another thread than the main
    one, a signal handler of the user's), nothing is changed.
    """
    ordinary = signal.default_int_handler
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is not ordinary:
        yield
        return
    waiting = False

    def wait(number: int, frame: Any) -> None:
        nonlocal waiting
        if waiting:
            raise KeyboardInterrupt
        waiting = True

    signal.signal(signal.SIGINT, wait)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, ordinary)
        if waiting:
            raise KeyboardInterrupt
