"""What is asked of CuPy to record a step, with a module in its place that notes it."""

from __future__ import annotations

import contextlib
import sys
import types
from typing import Any

import pytest

from portanet.backends.cupy.graphs import CudaGraphs


class Stream(contextlib.nullcontext):  # type: ignore[type-arg]
    """A stream; what is captured is the number of its captures."""

    def __init__(self, non_blocking: bool = False) -> None:
        super().__init__()
        self.asked: list[Any] = []

    def begin_capture(self, mode: str) -> None:
        self.asked.append(mode)

    def end_capture(self) -> Any:
        self.asked.append("end")
        return types.SimpleNamespace(launch=lambda: self.asked.append("launch"))

    def record(self) -> Any:
        return "done", self

    def wait_event(self, event: Any) -> None:
        self.asked.append(event)


class Device(contextlib.nullcontext):  # type: ignore[type-arg]
    id = 0


@pytest.fixture
def cupy(monkeypatch: pytest.MonkeyPatch) -> Any:
    """CuPy's functions for streams and memory."""
    pinned = [lambda size: "usual"]
    pool = types.SimpleNamespace(malloc=None, free_all_blocks=lambda: None)
    cuda = types.SimpleNamespace(
        Stream=Stream,
        MemoryPool=lambda: pool,
        current=Stream(),
        using_allocator=lambda allocate: contextlib.nullcontext(),
        set_pinned_memory_allocator=lambda allocate: pinned.__setitem__(0, allocate),
        runtime=types.SimpleNamespace(
            streamCaptureModeRelaxed="relaxed", CUDARuntimeError=ValueError, getDevice=lambda: 0
        ),
    )
    cuda.get_current_stream = lambda: cuda.current
    usual = types.SimpleNamespace(malloc=pinned[0])
    module = types.SimpleNamespace(
        cuda=cuda,
        ndarray=float,
        get_default_memory_pool=lambda: pool,
        get_default_pinned_memory_pool=lambda: usual,
        pinned=pinned,
    )
    monkeypatch.setitem(sys.modules, "cupy", module)
    return module


def test_a_capture_sends_nothing_and_is_launched(cupy: Any) -> None:
    graphs = CudaGraphs(Device())

    def step() -> str:
        with pytest.raises(RuntimeError, match="cannot send arrays from the host"):
            cupy.pinned[0](8)
        return "results"

    launch, results = graphs.record(step)
    launch()
    assert results == "results"
    assert graphs.stream.asked == ["relaxed", "end", "launch"]
    assert cupy.pinned[0](8) == "usual"


@pytest.mark.parametrize("error", [RuntimeError("reads a value"), KeyboardInterrupt()])
def test_what_breaks_a_capture_ends_it_and_its_stream(cupy: Any, error: BaseException) -> None:
    graphs = CudaGraphs(Device())
    former = graphs.stream

    def step() -> None:
        raise error

    with pytest.raises(type(error)):
        graphs.record(step)
    assert former.asked == ["relaxed", "end"]
    assert graphs.stream is not former
    assert cupy.pinned[0](8) == "usual"
    assert graphs.record(lambda: 1)[1] == 1


def test_launches_on_another_stream_wait_for_those_before(cupy: Any) -> None:
    graphs, first, second = CudaGraphs(Device()), Stream(), Stream()
    for stream in (first, first, second, second, first):
        cupy.cuda.current = stream
        graphs.follow()
    assert first.asked == [("done", second)]
    assert second.asked == [("done", first)]
