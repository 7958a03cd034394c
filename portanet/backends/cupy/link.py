"""NCCL through CuPy."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

from portanet.backends.base import Array
from portanet.backends.link import Link


class CupyLink(Link):
    """`cupy.cuda.nccl` for one device.

    Args:
        device: The device.
    """

    def __init__(self, device: Any) -> None:
        self.device = device
        self.communicator: Any = None

    def unavailable(self) -> str | None:
        from cupy.cuda import nccl

        if getattr(nccl, "available", False):
            return None
        return "CuPy finds no NCCL. Type: pip install nvidia-nccl-cu13 (CUDA 13) or nvidia-nccl-cu12 (CUDA 12)"

    def version(self) -> int:
        from cupy.cuda import nccl

        return int(nccl.get_version())

    def identity(self) -> str:
        import cupy

        return str(bytes(cupy.cuda.runtime.getDeviceProperties(self.device.id)["uuid"])[:16].hex())

    def unique_id(self) -> bytes:
        from cupy.cuda import nccl

        return bytes(number % 256 for number in nccl.get_unique_id())  # bytes, or a tuple of signed numbers

    def open(self, size: int, unique_id: bytes, rank: int) -> None:
        from cupy.cuda import nccl

        kind = type(nccl.get_unique_id())
        given = unique_id if kind is bytes else tuple((number + 128) % 256 - 128 for number in unique_id)
        with self.device:
            self.communicator = nccl.NcclCommunicator(size, given, rank)

    def abort(self) -> None:
        self.communicator.abort()

    def call(self, name: str, *args: int) -> None:
        import cupy

        getattr(self.communicator, name)(*args, cupy.cuda.get_current_stream().ptr)

    @contextlib.contextmanager
    def group(self) -> Iterator[None]:
        from cupy.cuda import nccl

        nccl.groupStart()
        try:
            yield
        finally:
            nccl.groupEnd()

    def pointer(self, x: Array) -> int:
        return int(x.data.ptr)

    def contiguous(self, x: Array) -> Array:
        import cupy

        return cupy.ascontiguousarray(x).reshape(x.shape)  # which makes of shape () another

    def mark(self) -> Callable[[], bool]:
        import cupy

        with self.device:
            event = cupy.cuda.Event(disable_timing=True)
            event.record()
        return lambda: bool(event.done)

    def synchronize(self) -> None:
        import cupy

        with self.device:
            cupy.cuda.get_current_stream().synchronize()
