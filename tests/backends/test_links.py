"""NCCL's calls as CuPy and PyTorch make them, with fakes of both: addresses, numbers, the current stream."""

from __future__ import annotations

import contextlib
import ctypes
import sys
import types
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from portanet.backends.cupy.link import CupyLink
from portanet.backends.torch.link import TorchLink, library

STREAM = 9


class Function:
    """A C function that notes its numbers; that which ends calls gives an error."""

    def __init__(self, name: str, calls: list[Any]) -> None:
        self.__name__, self.calls = name, calls
        self.errcheck: Any = None

    def __call__(self, *args: Any) -> Any:
        if self.__name__ == "ncclGetErrorString":
            return b"internal error"
        self.calls.append((self.__name__, *(arg for arg in args if isinstance(arg, int))))
        return self.errcheck(3 if self.__name__ == "ncclCommAbort" else 0, self, args)


@pytest.fixture
def of_torch(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """The calls of a library in place of NCCL, beside PyTorch."""
    torch, made = pytest.importorskip("torch"), []

    class Library:
        def __init__(self, path: str) -> None:
            assert path == "libnccl.so.2"

        def __getattr__(self, name: str) -> Any:
            setattr(self, name, Function(name, made))
            return vars(self)[name]

    monkeypatch.setattr(ctypes, "CDLL", Library)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: types.SimpleNamespace(cuda_stream=STREAM))
    monkeypatch.setattr(torch.cuda, "device", lambda device: contextlib.nullcontext())
    library.cache_clear()
    yield made
    library.cache_clear()


@pytest.fixture(params=[bytes, tuple])
def of_cupy(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The calls of `cupy.cuda.nccl`, whose identifiers are bytes, or, in earlier versions, signed numbers."""
    made: list[Any] = []
    identifier = bytes(range(128, 256)) if request.param is bytes else tuple(range(-128, 0))

    class NcclCommunicator:
        def __init__(self, size: int, given: Any, rank: int) -> None:
            assert given == identifier
            made.append(("NcclCommunicator", size, rank))

        def __getattr__(self, name: str) -> Any:
            return lambda *args: made.append((name, *args))

    nccl = types.ModuleType("cupy.cuda.nccl")
    vars(nccl).update(
        available=True,
        get_version=lambda: 22304,
        get_unique_id=lambda: identifier,
        NcclCommunicator=NcclCommunicator,
        groupStart=lambda: made.append(("groupStart",)),
        groupEnd=lambda: made.append(("groupEnd",)),
    )
    cuda, cupy = types.ModuleType("cupy.cuda"), types.ModuleType("cupy")
    vars(cuda).update(nccl=nccl, get_current_stream=lambda: types.SimpleNamespace(ptr=STREAM))
    vars(cupy).update(cuda=cuda)
    for module in (cupy, cuda, nccl):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return made


def test_cupy(of_cupy: list[Any]) -> None:
    link = CupyLink(contextlib.nullcontext())
    assert link.unavailable() is None
    assert link.version() == 22304
    assert link.unique_id() == bytes(range(128, 256))
    link.open(4, link.unique_id(), 1)
    with link.group():
        link.call("allReduce", 16, 32, 5, 7, 0)
    link.abort()
    expected = [("NcclCommunicator", 4, 1), ("groupStart",), ("allReduce", 16, 32, 5, 7, 0, STREAM), ("groupEnd",)]
    assert of_cupy == [*expected, ("abort",)]


def test_cupy_without_nccl(of_cupy: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(sys.modules["cupy.cuda.nccl"], "available")
    assert "pip install nvidia-nccl-cu13" in str(CupyLink(None).unavailable())


def test_torch(of_torch: list[Any]) -> None:
    link = TorchLink("cuda:0")
    assert link.unavailable() is None
    assert link.version() == 0
    link.open(4, bytes(range(128)), 1)
    assert link.unique_id() == bytes(128)
    with link.group():
        link.call("reduceScatter", 16, 32, 5, 7, 0)
    names = ["ncclGetVersion", "ncclCommInitRank", "ncclGetUniqueId", "ncclGroupStart", "ncclReduceScatter"]
    assert [call[0] for call in of_torch] == [*names, "ncclGroupEnd"]
    assert of_torch[1][1:] == (4, 1)
    assert of_torch[4][1:] == (16, 32, 5, 7, 0, STREAM)
    with pytest.raises(RuntimeError, match="ncclCommAbort: internal error"):
        link.abort()


def test_torch_without_nccl(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("torch")

    def missing(path: str) -> None:
        raise OSError(f"{path}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", missing)
    library.cache_clear()
    assert "pip install nvidia-nccl-cu13" in str(TorchLink("cuda:0").unavailable())


def test_arrays_of_torch() -> None:
    torch = pytest.importorskip("torch")
    x, link = torch.from_numpy(np.arange(6.0).reshape(2, 3)), TorchLink("cpu")
    assert link.pointer(x) == x.data_ptr()
    assert link.contiguous(x) is x
    assert link.contiguous(x.T).is_contiguous()
