"""Copies of batches to the device on a stream of their own, from page-locked memory."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from portanet.backends.base import Array, HostArray
from portanet.backends.transfers import Transfers

MOST_SPARE = 16
"""Buffers without an array that are kept for later ones; of more, the oldest are dropped."""


def arrived(x: Any) -> None:
    """Wait for what was sent from page-locked memory, which CuPy reads only later: it may be changed after this.

    Arrays elsewhere have been copied already.

    Args:
        x: What was sent on the current stream.
    """
    import cupy

    runtime = cupy.cuda.runtime
    if (
        isinstance(x, np.ndarray)
        and x.nbytes
        and runtime.pointerGetAttributes(x.ctypes.data).type == runtime.memoryTypeHost
    ):
        cupy.cuda.get_current_stream().synchronize()


class CupyTransfers(Transfers):
    """Copies through pairs of buffers, one on the host and one on the device, that are used again.

    Before the host's is filled, the host waits until the copy of its former values is done. Before the device's is
    filled, the copying stream waits for all that was asked of the device until the former array there was dropped.

    Args:
        device: The device.
        usual: How an array is sent where there is no memory for buffers.
    """

    def __init__(self, device: Any, usual: Callable[[HostArray], Array]) -> None:
        import cupy

        self.device, self.usual = device, usual
        with device:
            self.stream = cupy.cuda.Stream(non_blocking=True)
        self.spare: list[_Buffers] = []
        self.under_way: list[_Buffers] = []
        self.full = False
        """Whether there was no memory for more buffers."""

    def send(self, x: HostArray) -> Array:
        import cupy

        with self.device:
            buffers = self._buffers(x.nbytes) if x.nbytes else None
            if buffers is None:
                return self.usual(x)
            buffers.copied.synchronize()
            np.frombuffer(buffers.host, x.dtype, x.size).reshape(x.shape)[...] = x
            if buffers.reader is not None:
                self.stream.wait_event(buffers.read)
                buffers.reader = None
            lease = _Lease()
            memory = cupy.cuda.UnownedMemory(buffers.memory.ptr, buffers.memory.size, lease, self.device.id)
            array: Array = cupy.ndarray(x.shape, x.dtype, cupy.cuda.MemoryPointer(memory, 0))
            array.data.copy_from_host_async(buffers.host.ptr, x.nbytes, self.stream)
            buffers.copied.record(self.stream)
        weakref.finalize(lease, self._take_back, buffers).atexit = False
        self.under_way.append(buffers)
        return array

    def sent(self) -> list[_Buffers]:
        under_way, self.under_way = self.under_way, []
        return under_way

    def arrive(self, sent: list[_Buffers]) -> None:
        import cupy

        with self.device:
            reader = cupy.cuda.get_current_stream()
            for buffers in sent:
                reader.wait_event(buffers.copied)
                buffers.reader = reader

    def _buffers(self, nbytes: int) -> _Buffers | None:
        """The smallest buffers that suffice, new ones if there are none; None where there is no memory."""
        import cupy

        while len(self.spare) > MOST_SPARE:
            del self.spare[0]  # which waits for the device
        fitting = [buffers for buffers in self.spare if buffers.memory.size >= nbytes]
        if fitting:
            chosen = min(fitting, key=lambda buffers: buffers.memory.size)
            self.spare.remove(chosen)
            return chosen
        if not self.full:
            try:
                return _Buffers(nbytes)
            except cupy.cuda.runtime.CUDARuntimeError:
                self.full = True
        return None

    def _take_back(self, buffers: _Buffers) -> None:
        """Note, as the last array in a buffer is dropped, what the device may still read of it."""
        if buffers.reader is not None:
            with self.device:
                buffers.read.record(buffers.reader)
        self.spare.append(buffers)


class _Buffers:
    """Memory of the host and of the device, neither from a pool: what frees it waits until nothing uses it."""

    def __init__(self, nbytes: int) -> None:
        import cupy

        cuda = cupy.cuda
        self.host = cuda.PinnedMemoryPointer(cuda.PinnedMemory(nbytes), 0)
        self.memory = cuda.Memory(nbytes)
        self.copied, self.read = cuda.Event(disable_timing=True), cuda.Event(disable_timing=True)
        self.reader: Any = None
        """The stream that has used the latest array."""


class _Lease:
    """Held by the arrays in a buffer, views among them."""
