"""NCCL beside PyTorch: the library that PyTorch has loaded, by its C functions.

PyTorch's own functions for it serve process groups, with threads and streams of their own, or one process with several
devices.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
from collections.abc import Callable, Iterator
from typing import Any

from portanet.backends.base import Array
from portanet.backends.link import Link


class _UniqueId(ctypes.Structure):
    _fields_ = (("internal", ctypes.c_byte * 128),)


_PLACE, _COUNT, _NUMBER = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
_FUNCTIONS: dict[str, list[Any]] = {
    "ncclGetVersion": [ctypes.POINTER(ctypes.c_int)],
    "ncclGetUniqueId": [ctypes.POINTER(_UniqueId)],
    "ncclCommInitRank": [ctypes.POINTER(ctypes.c_void_p), _NUMBER, _UniqueId, _NUMBER],
    "ncclCommAbort": [ctypes.c_void_p],
    "ncclGroupStart": [],
    "ncclGroupEnd": [],
    "ncclAllReduce": [_PLACE, _PLACE, _COUNT, _NUMBER, _NUMBER, ctypes.c_void_p, ctypes.c_void_p],
    "ncclReduce": [_PLACE, _PLACE, _COUNT, _NUMBER, _NUMBER, _NUMBER, ctypes.c_void_p, ctypes.c_void_p],
    "ncclReduceScatter": [_PLACE, _PLACE, _COUNT, _NUMBER, _NUMBER, ctypes.c_void_p, ctypes.c_void_p],
    "ncclAllGather": [_PLACE, _PLACE, _COUNT, _NUMBER, ctypes.c_void_p, ctypes.c_void_p],
    "ncclBroadcast": [_PLACE, _PLACE, _COUNT, _NUMBER, _NUMBER, ctypes.c_void_p, ctypes.c_void_p],
}


@functools.cache
def library(path: str = "libnccl.so.2") -> Any:
    """NCCL's C functions, which raise errors.

    Args:
        path: What to load.

    Raises:
        OSError: There is no such library.
    """
    found = ctypes.CDLL(path)
    found.ncclGetErrorString.restype = ctypes.c_char_p

    def check(result: int, function: Any, _: Any) -> int:
        if result:
            raise RuntimeError(f"{function.__name__}: {found.ncclGetErrorString(result).decode()}")
        return result

    for name, arguments in _FUNCTIONS.items():
        function = getattr(found, name)
        function.argtypes, function.restype, function.errcheck = arguments, ctypes.c_int, check
    return found


class TorchLink(Link):
    """NCCL for one of PyTorch's CUDA devices.

    Args:
        device: The device.
    """

    def __init__(self, device: Any) -> None:
        self.device = device
        self.communicator = ctypes.c_void_p()

    def unavailable(self) -> str | None:
        try:
            library()
        except (OSError, AttributeError) as error:
            return f"PyTorch has loaded no NCCL. Type: pip install nvidia-nccl-cu13, or -cu12 ({error})"
        return None

    def version(self) -> int:
        number = ctypes.c_int()
        library().ncclGetVersion(ctypes.byref(number))
        return number.value

    def identity(self) -> str:
        import torch

        return str(torch.cuda.get_device_properties(self.device).uuid).replace("-", "")

    def unique_id(self) -> bytes:
        made = _UniqueId()
        library().ncclGetUniqueId(ctypes.byref(made))
        return bytes(made)

    def open(self, size: int, unique_id: bytes, rank: int) -> None:
        import torch

        with torch.cuda.device(self.device):
            given = _UniqueId.from_buffer_copy(unique_id)
            library().ncclCommInitRank(ctypes.byref(self.communicator), size, given, rank)

    def abort(self) -> None:
        library().ncclCommAbort(self.communicator)

    def call(self, name: str, *args: int) -> None:
        import torch

        function = getattr(library(), f"nccl{name[0].upper()}{name[1:]}")
        function(*args, self.communicator, torch.cuda.current_stream(self.device).cuda_stream)

    @contextlib.contextmanager
    def group(self) -> Iterator[None]:
        library().ncclGroupStart()
        try:
            yield
        finally:
            library().ncclGroupEnd()

    def pointer(self, x: Array) -> int:
        return int(x.data_ptr())

    def contiguous(self, x: Array) -> Array:
        return x.contiguous()

    def mark(self) -> Callable[[], bool]:
        import torch

        event = torch.cuda.Event()
        event.record(torch.cuda.current_stream(self.device))
        return lambda: bool(event.query())

    def synchronize(self) -> None:
        import torch

        torch.cuda.current_stream(self.device).synchronize()
