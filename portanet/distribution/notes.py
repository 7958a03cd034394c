"""What the processes of a job tell each other beside sums: that one leaves, has had an error, has
written a file, waits for one, or asks for what all must ask for.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

LEFT, FAILED, WRITTEN, ASKED, WAITING = range(5)
"""What a note is about."""


class Notes:
    """Texts that a process sends to all others, who read them when they like.

    Args:
        comm: The communicator of the processes.
    """

    def __init__(self, comm: Any) -> None:
        self._comm = comm.Dup()
        self.others = [rank for rank in range(comm.Get_size()) if rank != comm.Get_rank()]
        self._sent: list[tuple[Any, Any]] = []
        self._read: dict[tuple[int, int], list[str]] = {}
        self._lock = threading.Lock()

    def send(self, about: int, text: str = "") -> None:
        """Tell the other processes."""
        self._sent = [(request, data) for request, data in self._sent if not request.Test()]
        data = np.frombuffer(text.encode(), "uint8")
        self._sent += [(self._comm.Isend(data, rank, about), data) for rank in self.others]

    def read(self, rank: int, about: int) -> list[str]:
        """The notes of a process, those that were read before among them unless they were removed from the list."""
        notes = self._read.setdefault((rank, about), [])
        from mpi4py import MPI

        status = MPI.Status()
        with self._lock:
            while (message := self._comm.Improbe(rank, about, status)) is not None:
                data = np.empty(status.Get_count(MPI.BYTE), "uint8")
                message.Recv(data)
                notes.append(data.tobytes().decode())
        return notes

    def proceed(self) -> None:
        """Let MPI do what others wait for."""
        self._comm.Iprobe()
