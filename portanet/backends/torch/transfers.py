"""Copies of batches to the device on a stream of their own, from page-locked memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from portanet.backends.base import Array, HostArray
from portanet.backends.transfers import Transfers

MOST_AHEAD = 8
"""Batches that the host may be ahead of the device, whose memory they need."""


class TorchTransfers(Transfers):
    """Copies whose memory is PyTorch's, which uses it again when the streams that it knows of are done with it.

    Args:
        device: The device.
        usual: How an array is sent where there is no page-locked memory.
    """

    def __init__(self, device: Any, usual: Callable[[HostArray], Array]) -> None:
        import torch

        self.device, self.usual = device, usual
        self.stream = torch.cuda.Stream(device)
        self.under_way: list[Array] = []
        self.arrivals: deque[Any] = deque()
        """Where the device began with the latest batches."""
        self.full = False
        """Whether there was no page-locked memory."""

    def send(self, x: HostArray) -> Array:
        import torch

        host = None if self.full else self._on_host(x)
        if host is None:
            return self.usual(x)
        with torch.cuda.stream(self.stream):
            array = host.to(self.device, non_blocking=True)
        self.under_way.append(array)
        return array

    def sent(self) -> tuple[Any, list[Array]]:
        under_way, self.under_way = self.under_way, []
        return self.stream.record_event(), under_way

    def arrive(self, sent: tuple[Any, list[Array]]) -> None:
        import torch

        copied, arrays = sent
        stream = torch.cuda.current_stream(self.device)
        stream.wait_event(copied)
        for array in arrays:
            array.record_stream(stream)
        self.arrivals.append(stream.record_event())
        if len(self.arrivals) > MOST_AHEAD:
            self.arrivals.popleft().synchronize()

    def _on_host(self, x: HostArray) -> Array | None:
        """A copy of an array in page-locked memory; None where there is none."""
        import torch

        dtype = torch.from_numpy(np.empty(0, x.dtype)).dtype
        try:
            host = torch.empty(x.shape, dtype=dtype, pin_memory=True)
        except RuntimeError:
            self.full = True
            return None
        host.numpy()[...] = x
        return host
