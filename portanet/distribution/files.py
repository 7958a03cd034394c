"""Files that the first process of a job writes, and for which the others wait."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from portanet.distribution.notes import WAITING, WRITTEN

if TYPE_CHECKING:
    from portanet.distribution.processes import Processes

PATIENCE = 0.5
"""Seconds of waiting after which a process tells the first one that it waits."""


class Files:
    """What a process knows of files, by places of the script: how many messages it had started there.

    Args:
        processes: The processes of the job.
    """

    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._latest = 0, 0
        """The last place where this process went by a file, and by how many it has gone there."""
        self._written: dict[int, int] = {}
        """How many files this process, the first, has written, by places."""

    def wrote(self) -> None:
        """Tell the other processes that this one, the first, has written a file."""
        place = self._processes.started
        self._processes.notes.send(WRITTEN, str(place))
        self._written[place] = self._written.get(place, 0) + 1

    def wait(self) -> None:
        """Wait until the first process has written as many files at this place as this one went by.

        It may have written others elsewhere alone.
        """
        processes, (place, count) = self._processes, self._latest
        self._latest = processes.started, count + 1 if place == processes.started else 1
        since, told = time.monotonic(), False
        while True:
            written = processes.notes.read(0, WRITTEN)
            written[:] = [each for each in written if int(each) >= processes.started]
            if written.count(str(processes.started)) >= self._latest[1]:
                return
            if not told and time.monotonic() - since > PATIENCE:
                told = True
                processes.notes.send(WAITING, json.dumps(self._latest))
            processes.pause(since)

    def meet_waiting(self, rank: int, number: int) -> None:
        """End all processes, if another waits for a file that this one, the first, has not written and will not.

        Args:
            rank: The other process.
            number: The message that this one waits for.
        """
        for note in self._processes.notes.read(rank, WAITING):
            place, count = json.loads(note)
            if place < number and self._written.get(place, 0) < count:
                self._processes.abort(
                    f"Process {rank} of {self._processes.size} writes a file alone. The first process writes files, for"
                    " which the others wait: save in all processes, or in the first one alone."
                )
