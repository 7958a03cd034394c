"""The processes of a job: how they wait for each other, and how an error in one ends all."""

from __future__ import annotations

import contextlib
import json
import sys
import threading
import time
from collections.abc import Iterator
from typing import Any, Protocol

from portanet.distribution.files import Files
from portanet.distribution.messages import Messages
from portanet.distribution.notes import ASKED, FAILED, LEFT, Notes

BUSY = 2e-3
"""Seconds of waiting after which a process gives its core to others."""

PATIENCE = 0.5
"""Seconds of waiting after which a process asks whether another has left."""


GRACE = 3.0
"""Seconds that a process has to show an error, before others end all for it."""


class OnDevice(Protocol):
    """What exchanges arrays with other processes without going through the host."""

    def finish(self) -> None:
        """Wait until all exchanges that this process has begun are done; there are no more."""

    def abort(self) -> None:
        """End exchanges that wait for other processes."""


class Processes(Messages):
    """The processes of a job, of which this is one.

    Args:
        comm: The communicator, `mpi4py.MPI.COMM_WORLD` or a part of it.
        timeout: Seconds to wait for the other processes before all are ended.
    """

    def __init__(self, comm: Any, timeout: float) -> None:
        super().__init__(comm)
        self.notes, self.timeout = Notes(comm), timeout
        self._failures: list[int] = []
        """What `started` was when errors left calls; others must have had them, too, before this process goes on."""
        self._latest: BaseException | None = None
        self._known: dict[str, float] = {}
        self._serving: threading.Thread | None = None
        self._left = threading.Event()
        self.files = Files(self)
        self.on_devices: list[OnDevice] = []
        """What lets this process exchange arrays with others without going through the host."""

    def __repr__(self) -> str:
        return f"<process {self.rank} of {self.size}>"

    def begin_step(self) -> None:
        """Count a step whose messages go from device to device, as one."""
        self._begin(0)

    def waits_since(self, since: float) -> None:
        """End all processes, if what this one waits for on its device since then does not come."""
        waited = time.monotonic() - since
        if waited > self.timeout:
            self.abort(self._late())
        for rank in self.notes.others if waited > GRACE else ():
            for note in (*self.notes.read(rank, FAILED)[:1], *self.notes.read(rank, LEFT)[:1]):
                if time.monotonic() - self._known.setdefault(f"{rank}: {note}", time.monotonic()) > GRACE:
                    what = json.loads(note)[1] if note else "the script"
                    self.abort(
                        f"Process {rank} of {self.size} has left {what}, and process {self.rank} waits for it on its "
                        "device."
                    )

    def pause(self, since: float, number: int | None = None) -> None:
        """Wait a little; end all processes, if what this one waits for does not come.

        Args:
            since: When the waiting began.
            number: The message that it waits for.
        """
        waited = time.monotonic() - since
        if waited > self.timeout:
            self.abort(self._late())
        if waited > BUSY:
            time.sleep(min(1e-3, waited / 50))
        if waited < PATIENCE:
            return
        for rank in self.notes.others:
            failed = self.notes.read(rank, FAILED)
            left = self.notes.read(rank, LEFT)
            asked = self.notes.read(rank, ASKED)
            if number is not None and asked and json.loads(asked[0])[0] < min(number, self.started):
                self._end_asked(rank, asked[0])
            if number is not None and failed and json.loads(failed[0])[0] < number:
                known = self._known.setdefault(failed[0], time.monotonic())
                if left or time.monotonic() - known > GRACE:
                    self._end_for(rank, failed[0])
            if number is not None and self.rank == 0:
                self.files.meet_waiting(rank, number)
            if left:
                self.abort(
                    f"Process {self.rank} of {self.size} waits for the others, of which one has left the script. All "
                    "must go through the same calls of fit, evaluate and predict."
                )

    def _late(self) -> str:
        return (
            f"Process {self.rank} of {self.size} has waited {self.timeout:g} s for the others, which have not come to "
            "the same place: one may have stopped, be slow, or have other data or callbacks. "
            "distribution.initialize(timeout=...) sets the time."
        )

    @contextlib.contextmanager
    def call(self, name: str) -> Iterator[None]:
        """In a `with` block, a call with messages in it: others are told of an error that leaves it."""
        try:
            yield
        except BaseException as error:
            if error is not self._latest:  # which has left a call in this one
                self._latest = error
                self._failures.append(self.started)
                self.notes.send(FAILED, json.dumps([self.started, f"{name} with {type(error).__name__}: {error}"]))
            raise

    def _meet_failures(self) -> None:
        """Go on after errors that were caught, if all processes had them at the same places."""
        while self._failures:
            started, since = self._failures.pop(0), time.monotonic()
            for rank in self.notes.others:
                while not (told := self.notes.read(rank, FAILED)):
                    self.pause(since)
                note = told.pop(0)
                if json.loads(note)[0] != started:
                    self._end_for(rank, note)

    def _end_for(self, rank: int, note: str) -> None:
        self.abort(
            f"Process {rank} of {self.size} has left {json.loads(note)[1]}. Process {self.rank} has not, or at another "
            "place. To catch an error and go on, all processes must have it at the same place."
        )

    def meet(self, what: str) -> None:
        """Wait until all processes come here: before messages that not all might send, such as those for a file.

        Args:
            what: What these are for.
        """
        self._meet_failures()
        note = json.dumps([self.started, what])
        self.notes.send(ASKED, note)
        since, missing = time.monotonic(), set(self.notes.others)
        while missing:
            for rank in sorted(missing):
                if asked := self.notes.read(rank, ASKED):
                    if asked[0] != note:
                        self._end_asked(rank, asked[0])
                    asked.pop(0)
                    missing.remove(rank)
            if missing:
                self.pause(since, self.started + 1)

    def _end_asked(self, rank: int, note: str) -> None:
        self.abort(
            f"Process {rank} of {self.size} asks for {json.loads(note)[1]}, and process {self.rank} does not, or at "
            "another place. All must do so together."
        )

    def proceed(self) -> None:
        """From now on let MPI serve the others by a thread, where it allows calls of several: it does so in calls."""

        def serve() -> None:
            while not self._left.wait(5e-4):
                self.notes.proceed()

        if self._serving is None and self.threads_may_call:
            self._serving = threading.Thread(target=serve, daemon=True)
            self._serving.start()

    def leave(self) -> None:
        """Tell the other processes that this one comes to its end, and waits for no more sums."""
        for each in self.on_devices:
            each.finish()
        self.notes.send(LEFT)
        if self._serving is not None:  # until no other may ask for numbers that lie here
            end = time.monotonic() + self.timeout
            while time.monotonic() < end and not all(self.notes.read(rank, LEFT) for rank in self.notes.others):
                time.sleep(1e-3)
            self._left.set()
            self._serving.join()

    @property
    def threads_may_call(self) -> bool:
        """Whether MPI allows calls of several threads."""
        from mpi4py import MPI

        return bool(MPI.Query_thread() == MPI.THREAD_MULTIPLE)

    def abort(self, message: str) -> None:
        """Say what has happened, and end all processes."""
        print(message, file=sys.stderr, flush=True)
        for each in self.on_devices:
            with contextlib.suppress(Exception):  # the job ends in any case
                each.abort()
        self.comm.Abort(1)
