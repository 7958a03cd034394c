"""The backend of the recordable library."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Hashable, Iterator
from typing import Any, ClassVar

import array_api_strict as strict
import numpy as np

from portanet.backends import Backend, HostArray, recording, registry, use_backend
from portanet.backends.graphs import Graphs
from portanet.backends.transfers import Transfers
from tests.recorded import tape

DEVICES = {name: strict.Device(name) for name in ("device1", "device2")}


class FakeGraphs(Graphs):
    """Records the calls of functions of the namespace; see `tests.recorded`."""

    launches: ClassVar[list[int]] = [0]
    fills: ClassVar[list[int]] = [0]

    def __init__(self, device: Any = DEVICES["device1"]) -> None:
        self.device = device

    def owns(self, x: Any) -> bool:
        return isinstance(x, tape.Array) and x.device == self.device

    def record(self, function: Callable[[], Any]) -> tuple[Callable[[], None], Any]:
        recorded = tape.state.tape = tape.Tape()
        try:
            results = function()
        finally:
            tape.state.tape = None
            recorded.finish()

        def replay() -> None:
            self.launches[0] += 1
            recorded.replay()

        return replay, results

    def copy(self, x: Any) -> Any:
        return tape.call(lambda x: strict.asarray(x, copy=True), x)

    def fill(self, target: Any, source: Any) -> None:
        self.fills[0] += 1
        target[...] = source

    def memory(self, x: Any) -> Hashable:
        return id(tape._base(x.inner._array))

    def layout(self, x: Any) -> tuple[Any, ...]:
        inner = x.inner._array
        return inner.ctypes.data, inner.shape, inner.strides, inner.dtype


class FakeTransfers(Transfers):
    """Arrays have their values when they have arrived, and no earlier."""

    arrivals: ClassVar[list[int]] = [0]

    def __init__(self, device: Any) -> None:
        self.device = device
        self.under_way: list[Any] = []

    def send(self, x: HostArray) -> Any:
        tape.forbid("send copies an array to the device")
        array = tape.Array(strict.asarray(tape._garbage(x), device=self.device))
        self.under_way.append((array, np.array(x)))
        return array

    def sent(self) -> list[Any]:
        under_way, self.under_way = self.under_way, []
        return under_way

    def arrive(self, sent: list[Any]) -> None:
        self.arrivals[0] += 1
        for array, values in sent:
            array.inner._array[...] = values


class RecordedBackend(Backend):
    """Arrays of `tests.recorded`."""

    name = "recorded"
    library = "tests.recorded"
    keeps_constants = True
    install = ""
    overrides: ClassVar[dict[str, Callable[..., Any]]] = {"cond": recording.cond}

    @classmethod
    def version(cls) -> str:
        return str(strict.__version__)

    @classmethod
    def load(cls) -> Any:
        import tests.recorded

        return tests.recorded

    @classmethod
    def devices(cls) -> dict[str, Any]:
        return DEVICES

    def from_host(self, x: HostArray) -> Any:
        tape.forbid("from_host sends an array to the device")
        return tape.Array(strict.asarray(np.array(x), device=self.device))

    @classmethod
    def to_host(cls, x: Any) -> HostArray:
        tape.forbid("to_host reads values")
        return np.array(x.inner.to_device(strict.Device("CPU_DEVICE")))

    @classmethod
    def owns(cls, x: Any) -> bool:
        return isinstance(x, tape.Array)

    @classmethod
    def cost_of_reading(cls, x: Any) -> str:
        return "never" if recording.recording() else "waits"

    @property
    def records(self) -> bool:
        return True

    def graphs(self) -> Graphs:
        return FakeGraphs(self.device)

    def transfers(self) -> Transfers:
        return FakeTransfers(self.device)


@contextlib.contextmanager
def use_recorded() -> Iterator[Backend]:
    """The backend for a `with` block."""
    registry.BACKENDS["recorded"] = ("tests.recorded.backend", "RecordedBackend")
    try:
        with use_backend("recorded") as backend:
            yield backend
    finally:
        del registry.BACKENDS["recorded"]
