"""Copies of batches to a device beside what it computes."""

from __future__ import annotations

from typing import Any

from portanet.backends.base import Array, HostArray


class Transfers:
    """What a library does to copy arrays from the host while the device computes with earlier ones.

    One thread sends, one uses what has arrived; they may be the same.
    """

    def send(self, x: HostArray) -> Array:
        """Begin to copy an array, which may be changed at once; the result is used after it has arrived."""
        raise NotImplementedError

    def sent(self) -> Any:
        """What `arrive` takes for all that was sent since the call before."""
        raise NotImplementedError

    def arrive(self, sent: Any) -> None:
        """Let what the device computes from here on, for the thread that calls, wait for these copies."""
        raise NotImplementedError
