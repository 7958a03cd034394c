"""Every block of the portability matrix as a recorded step: nothing in it would break the capture of a CUDA graph."""

from __future__ import annotations

import contextlib
import importlib.util
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from portanet.backends import Backend, graphs, use_backend
from tests.portability.blocks import Block, host
from tests.portability.columns import KINDS
from tests.recorded.backend import use_recorded


class Compared:
    """A step that is called twice with the same arguments: as ordinary Python, and recorded and replayed."""

    def __init__(self, step: Callable[..., Any], library: graphs.Graphs) -> None:
        self.recorder = graphs.Recorder(step, (), (), library)

    def __call__(self, *args: Any) -> Any:
        first = self.recorder(*args)
        expected = host(first)
        np.testing.assert_equal(host(self.recorder(*args)), expected)
        return first


def record(cases: list[Block], faults: list[str]) -> None:
    """Record all blocks; each that cannot be recorded, or gives other results, is a fault."""
    with use_recorded() as backend:
        _record(cases, faults, backend)
    if importlib.util.find_spec("torch") is not None:
        from tests.recorded.torch_graphs import recorded_torch

        with recorded_torch(), use_backend("torch", "cpu") as backend:
            _record(cases, faults, backend)


def _record(cases: list[Block], faults: list[str], backend: Backend) -> None:
    for block in cases:
        # Steps of optimizers are called several times, and change arguments.
        comparing = contextlib.nullcontext() if block.name.startswith("optimizers.") else _comparing(type(backend))
        try:
            with comparing, warnings.catch_warnings():
                warnings.simplefilter("error")
                for kind in KINDS:
                    run = getattr(block, kind)
                    if not isinstance(run, str):
                        run()
        except Exception as error:
            name = f"Recorded steps, {backend.name}"
            faults.append(f"{name}: {block.name}: {type(error).__name__}: {str(error)[:500]}")


@contextlib.contextmanager
def _comparing(kind: type[Backend]) -> Iterator[None]:
    usual = kind.compile
    kind.compile = lambda self, step, given=(), kept=(): Compared(step, self.graphs())  # type: ignore[assignment,method-assign,misc]
    try:
        yield
    finally:
        kind.compile = usual  # type: ignore[method-assign]
