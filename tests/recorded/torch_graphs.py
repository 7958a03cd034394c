"""PyTorch's CUDA graphs on the processor: what PyTorch is asked for in a capture is noted, and done in replays."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest

from portanet.backends import recording

torch = pytest.importorskip("torch")

from torch.utils._python_dispatch import TorchDispatchMode  # noqa: E402 -- doctests import this file without PyTorch

from portanet.backends.torch.backend import TorchBackend  # noqa: E402

aten = torch.ops.aten
REFUSED = {
    aten._local_scalar_dense.default: "reads a value",
    aten.lift_fresh.default: "sends an array from the host",
    aten.nonzero.default: "has a shape that depends on values",
    aten.masked_select.default: "has a shape that depends on values",
    aten.repeat_interleave.Tensor: "has a shape that depends on values",
    aten._unique2.default: "has a shape that depends on values",
}


def tensors(tree: Any) -> Iterator[torch.Tensor]:
    if isinstance(tree, torch.Tensor):
        yield tree
    elif isinstance(tree, (list, tuple)):
        for branch in tree:
            yield from tensors(branch)


class Capture(TorchDispatchMode):
    """Notes calls; what they compute is undone at the end, since a capture computes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, Any, Any, list[tuple[int, torch.Tensor]]]] = []
        self.before: dict[int, tuple[Any, Any]] = {}
        self.broken = False

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if function in REFUSED:
            self.broken = True
            raise RuntimeError(f"CUDA error: operation not permitted when stream is capturing: {REFUSED[function]}")
        known = set()
        for tensor in [*tensors(args), *tensors(tuple(kwargs.values()))]:
            storage = tensor.untyped_storage()
            known.add(storage.data_ptr())
            if storage.data_ptr() not in self.before:
                self.before[storage.data_ptr()] = storage, storage.clone()
        out = function(*args, **kwargs)
        fresh = [(i, each) for i, each in enumerate(tensors(out)) if each.untyped_storage().data_ptr() not in known]
        self.calls.append((function, args, kwargs, fresh))
        return out

    def finish(self) -> None:
        for _, _, _, fresh in self.calls:
            for _, tensor in fresh:
                storage = tensor.untyped_storage()
                if storage.data_ptr() not in self.before or self.before[storage.data_ptr()][0] is not storage:
                    self.before[storage.data_ptr()] = storage, storage.clone().fill_(255)
        made = {tensor.untyped_storage().data_ptr() for _, _, _, fresh in self.calls for _, tensor in fresh}
        for pointer, (storage, values) in self.before.items():
            storage.copy_(values.fill_(255) if pointer in made else values)


class CUDAGraph:
    """As `torch.cuda.CUDAGraph`."""

    replays = 0

    def capture_begin(self, pool: Any, capture_error_mode: str) -> None:
        assert capture_error_mode == "thread_local", "other threads may send batches"
        self.capture = Capture()
        self.capture.__enter__()

    def capture_end(self) -> None:
        self.capture.__exit__(None, None, None)
        self.capture.finish()
        if self.capture.broken:
            raise RuntimeError("CUDA error: operation failed due to a previous error during capture")

    def replay(self) -> None:
        CUDAGraph.replays += 1
        for function, args, kwargs, fresh in self.capture.calls:
            results = list(tensors(function(*args, **kwargs)))
            for i, tensor in fresh:
                tensor.copy_(results[i])


class Stream:
    """As `torch.cuda.Stream`, for work that is done at once."""

    def __init__(self, device: Any = None) -> None:
        self.waited: list[Any] = []

    def wait_stream(self, stream: Any) -> None:
        self.waited.append(stream)


@contextlib.contextmanager
def recorded_torch() -> Iterator[None]:
    """PyTorch's backend on the processor as if that were a GPU, for a `with` block."""
    current = Stream()
    cuda = {
        "CUDAGraph": CUDAGraph,
        "Stream": Stream,
        "current_stream": lambda device=None: current,
        "device": lambda device: contextlib.nullcontext(),
        "empty_cache": lambda: None,
        "graph_pool_handle": object,
        "stream": lambda stream: contextlib.nullcontext(),
    }
    backend = {
        "cost_of_reading": classmethod(lambda cls, x: "never" if recording.recording() else "waits"),
        "records": property(lambda self: True),
        "transfers": lambda self: None,
    }
    with mock.patch.multiple(torch.cuda, **cuda), mock.patch.multiple(TorchBackend, **backend):
        yield
