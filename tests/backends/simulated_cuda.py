"""Streams and events of CUDA whose work is done late, and in any order that CUDA permits; no GPU is needed.

A kernel or copy that does not wait for what it depends on reads or writes memory at the wrong time under some seed.
"""

from __future__ import annotations

import contextlib
import ctypes
import threading
import types
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


class OutOfMemoryError(RuntimeError):
    """What the library raises where there is no memory."""


class Event:
    """A point in the work of a stream; each record replaces the one before."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.recorded = self.done = 0

    def record(self, stream: Stream) -> None:
        self.recorded += 1
        number = self.recorded
        stream.ask(lambda: setattr(self, "done", max(self.done, number)))

    def synchronize(self) -> None:
        self.machine.work_until(lambda: self.done >= self.recorded)


class Stream:
    """Work that is done in order."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.queue: deque[tuple[Callable[[], bool], Callable[[], Any]]] = deque()
        machine.streams.append(self)

    def ask(self, work: Callable[[], Any], ready: Callable[[], bool] = lambda: True) -> None:
        with self.machine.lock:
            self.queue.append((ready, work))
            self.machine.work_some()

    def wait_event(self, event: Event) -> None:
        number = event.recorded
        self.ask(lambda: None, lambda: event.done >= number)

    def record_event(self) -> Event:
        event = Event(self.machine)
        event.record(self)
        return event


class Machine:
    """A device, with its streams and its memory by address.

    Args:
        seed: Of the order in which work is done.
        arrays: Arrays that there is memory for, on the host and on the device together.
    """

    def __init__(self, seed: int, arrays: int = 1000) -> None:
        self.rng = np.random.default_rng(seed)
        self.lock = threading.RLock()
        self.streams: list[Stream] = []
        self.compute = Stream(self)
        self.favoured = int(self.rng.integers(3))
        self.free = arrays
        self.current: Stream = self.compute
        self.allocator: list[tuple[Any, Stream | None, list[tuple[Stream, Event]]]] = []
        """Freed tensors: memory, the stream that they were made on, and how far those that use it have to get."""

    def work_some(self) -> None:
        for _ in range(int(self.rng.integers(20)) if self.rng.random() < 0.05 else 0):
            self.step()

    def step(self) -> bool:
        """Do the next piece of work of a stream that need not wait; whether there is one."""
        with self.lock:
            able = [stream for stream in self.streams if stream.queue and stream.queue[0][0]()]
            if not able:
                return False
            favoured = self.streams[self.favoured % len(self.streams)]
            often = favoured in able and self.rng.random() < 0.9
            stream = favoured if often else able[int(self.rng.integers(len(able)))]
            stream.queue.popleft()[1]()
            return True

    def work_until(self, done: Callable[[], bool]) -> None:
        while not done():
            assert self.step(), "nothing is left to do, and what is waited for is not done"

    def finish(self) -> None:
        while self.step():
            pass
        assert not any(stream.queue for stream in self.streams), "streams wait for each other"

    def memory(self, nbytes: int) -> Any:
        if self.free == 0:
            raise OutOfMemoryError
        self.free -= 1
        return np.full(nbytes, 77, "uint8")


class Memory:
    """As CuPy's, of either kind; freeing it waits for the device."""

    def __init__(self, machine: Machine, size: int) -> None:
        self.machine, self.size, self.bytes = machine, size, machine.memory(size)
        self.ptr = self.bytes.ctypes.data

    def __del__(self) -> None:
        if hasattr(self, "ptr"):
            self.machine.finish()
            self.machine.free += 1
            self.bytes[...] = 99


class HostPointer(np.ndarray):  # type: ignore[type-arg]
    """As CuPy's `PinnedMemoryPointer`, a buffer."""

    def __new__(cls, memory: Memory, offset: int) -> HostPointer:
        pointer = memory.bytes[offset:].view(cls)
        pointer.memory, pointer.ptr = memory, memory.ptr + offset
        return pointer


class DevicePointer:
    """As CuPy's `MemoryPointer`."""

    def __init__(self, mem: Any, offset: int) -> None:
        self.mem, self.ptr = mem, mem.ptr + offset

    def copy_from_host_async(self, ptr: int, nbytes: int, stream: Stream) -> None:
        target = self.ptr
        stream.ask(lambda: ctypes.memmove(target, ptr, nbytes))


class DeviceArray:
    """As CuPy's `ndarray`, as far as copying goes."""

    def __init__(self, shape: tuple[int, ...], dtype: Any, data: DevicePointer) -> None:
        self.shape, self.dtype, self.data = shape, np.dtype(dtype), data

    def at(self) -> Any:
        """The memory, as a kernel sees it."""
        count = int(np.prod(self.shape))
        raw = (ctypes.c_byte * (count * self.dtype.itemsize)).from_address(self.data.ptr)
        return np.ctypeslib.as_array(raw).view(self.dtype).reshape(self.shape)


def cupy_on(machine: Machine) -> Any:
    """A module in place of `cupy`."""
    cuda = types.SimpleNamespace(
        Stream=lambda non_blocking: Stream(machine),
        Event=lambda disable_timing: Event(machine),
        get_current_stream=lambda: machine.compute,
        Memory=lambda size: Memory(machine, size),
        PinnedMemory=lambda size: Memory(machine, size),
        PinnedMemoryPointer=HostPointer,
        MemoryPointer=DevicePointer,
        UnownedMemory=lambda ptr, size, owner, device: types.SimpleNamespace(ptr=ptr, size=size, owner=owner),
        runtime=types.SimpleNamespace(CUDARuntimeError=OutOfMemoryError),
    )
    return types.SimpleNamespace(cuda=cuda, ndarray=DeviceArray)


class Device(contextlib.nullcontext):  # type: ignore[type-arg]
    """The device, which can be made the current one."""

    id = 0


class Tensor:
    """As PyTorch's tensors, in memory that its allocator uses again as soon as the streams it knows of permit.

    Args:
        machine: The device.
        values: The memory.
        stream: The stream that it is made on; None on the host.
    """

    def __init__(self, machine: Machine, values: Any, stream: Stream | None = None) -> None:
        self.machine, self.values, self.stream = machine, values, stream
        self.users: list[Stream] = []

    @classmethod
    def new(cls, machine: Machine, shape: Any, dtype: Any, stream: Stream | None) -> Tensor:
        for i, (values, made_on, users) in enumerate(machine.allocator):
            alike = values.shape == tuple(shape) and values.dtype == dtype and made_on is stream
            # What the stream that it was made on has been asked for comes first in any case.
            if alike and all(event.done >= event.recorded for user, event in users if user is not stream):
                del machine.allocator[i]
                return cls(machine, values, stream)
        return cls(machine, np.full(shape, machine.memory(1)[0], dtype), stream)

    def __del__(self) -> None:
        self.machine.allocator.append((self.values, self.stream, [(user, user.record_event()) for user in self.users]))

    def numpy(self) -> Any:
        return self.values

    def to(self, device: Any, non_blocking: bool) -> Tensor:
        stream = self.machine.current
        new = Tensor.new(self.machine, self.values.shape, self.values.dtype, stream)
        target, source = new.values, self.values
        stream.ask(lambda: np.copyto(target, source))
        self.users.append(stream)
        return new

    def record_stream(self, stream: Stream) -> None:
        self.users.append(stream)

    def at(self) -> Any:
        return self.values


def torch_on(machine: Machine) -> Any:
    """A module in place of `torch`."""

    @contextlib.contextmanager
    def stream(chosen: Stream) -> Iterator[None]:
        machine.current = chosen
        yield
        machine.current = machine.compute

    cuda = types.SimpleNamespace(
        Stream=lambda device: Stream(machine), stream=stream, current_stream=lambda device: machine.compute
    )
    return types.SimpleNamespace(
        cuda=cuda,
        from_numpy=lambda x: x,
        empty=lambda shape, dtype, pin_memory: Tensor.new(machine, shape, dtype, None),
    )
