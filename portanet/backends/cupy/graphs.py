"""CUDA graphs of CuPy."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Hashable, Iterator
from typing import Any

from portanet.backends.base import Array
from portanet.backends.graphs import Graphs


class CudaGraphs(Graphs):
    """CUDA graphs that share a memory pool of their own: they run one after the other.

    Args:
        device: The device.
    """

    def __init__(self, device: Any) -> None:
        import cupy

        self.device = device
        self.array = cupy.ndarray
        with device:
            self.stream = cupy.cuda.Stream(non_blocking=True)
        self.pool = cupy.cuda.MemoryPool()
        self.latest: Any = None

    def follow(self) -> None:
        import cupy

        if cupy.cuda.runtime.getDevice() != self.device.id:
            self.device.use()
        stream = cupy.cuda.get_current_stream()
        if self.latest is not None and stream != self.latest:
            stream.wait_event(self.latest.record())
        self.latest = stream

    def owns(self, x: Any) -> bool:
        return isinstance(x, self.array)

    def record(self, function: Callable[[], Any]) -> tuple[Callable[[], None], Any]:
        import cupy

        with self.device:
            cupy.get_default_memory_pool().free_all_blocks()  # what the first call needed, which is not needed again
        with self.device, self.stream, cupy.cuda.using_allocator(self.pool.malloc), _no_pinned_memory():
            # Memory is allocated while recording, which only this mode permits.
            self.stream.begin_capture(cupy.cuda.runtime.streamCaptureModeRelaxed)
            try:
                results = function()
            except BaseException:
                self._abandon()
                raise
            return self.stream.end_capture().launch, results

    def _abandon(self) -> None:
        """End a recording without a graph."""
        import cupy

        with contextlib.suppress(cupy.cuda.runtime.CUDARuntimeError):  # it tells again what has invalidated it
            self.stream.end_capture()
        self.stream = cupy.cuda.Stream(non_blocking=True)

    def copy(self, x: Array) -> Array:
        return x.copy()

    def fill(self, target: Array, source: Array) -> None:
        if source.flags.c_contiguous and target.flags.c_contiguous and source.device == target.device:
            target.data.copy_from_device_async(source.data, target.nbytes)
        else:
            target[...] = source

    def memory(self, x: Array) -> Hashable:
        return int(x.data.mem.ptr)

    def layout(self, x: Array) -> tuple[Any, ...]:
        return int(x.data.ptr), x.shape, x.strides, x.dtype


@contextlib.contextmanager
def _no_pinned_memory() -> Iterator[None]:
    """Let this thread send no arrays from the host inside a `with` block.

    CuPy would record a copy from a buffer that it uses for something else afterwards.
    """
    import cupy

    thread, usual = threading.get_ident(), cupy.get_default_pinned_memory_pool().malloc

    def allocate(size: int) -> Any:
        if threading.get_ident() == thread:
            raise RuntimeError("a recorded step cannot send arrays from the host to the device")
        return usual(size)

    cupy.cuda.set_pinned_memory_allocator(allocate)
    try:
        yield
    finally:
        cupy.cuda.set_pinned_memory_allocator(usual)
