"""CUDA graphs of PyTorch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable
from typing import Any

from portanet.backends.base import Array
from portanet.backends.graphs import Graphs


class TorchGraphs(Graphs):
    """CUDA graphs that share a memory pool of their own: they run one after the other.

    Args:
        device: The device.
    """

    def __init__(self, device: Any) -> None:
        import torch

        self.device = device
        self.tensor = torch.Tensor
        self.stream = torch.cuda.Stream(device)
        self.pool = torch.cuda.graph_pool_handle()
        self.latest: Any = None

    def follow(self) -> None:
        import torch

        stream = torch.cuda.current_stream(self.device)
        if self.latest is not None and stream != self.latest:
            stream.wait_stream(self.latest)
        self.latest = stream

    def owns(self, x: Any) -> bool:
        return isinstance(x, self.tensor) and bool(x.device == self.device)

    def record(self, function: Callable[[], Any]) -> tuple[Callable[[], None], Any]:
        import torch

        torch.cuda.empty_cache()  # what the first call needed is not needed again
        graph = torch.cuda.CUDAGraph()
        self.stream.wait_stream(torch.cuda.current_stream(self.device))
        with torch.cuda.device(self.device), torch.cuda.stream(self.stream), torch.no_grad():
            graph.capture_begin(self.pool, capture_error_mode="thread_local")
            try:
                results = function()
            except BaseException:
                self._abandon(graph)
                raise
            graph.capture_end()
        return graph.replay, results

    def _abandon(self, graph: Any) -> None:
        """End a recording without a graph."""
        import torch

        with contextlib.suppress(RuntimeError):  # it tells again what has invalidated it
            graph.capture_end()
        self.stream, self.pool = torch.cuda.Stream(self.device), torch.cuda.graph_pool_handle()

    def copy(self, x: Array) -> Array:
        return x.clone()

    def fill(self, target: Array, source: Array) -> None:
        target.copy_(source)

    def memory(self, x: Array) -> Hashable:
        return int(x.untyped_storage().data_ptr())

    def layout(self, x: Array) -> tuple[Any, ...]:
        return x.data_ptr(), tuple(x.shape), x.stride(), x.dtype
