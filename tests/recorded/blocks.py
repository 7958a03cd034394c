"""Every block of the portability matrix as a recorded step: nothing in it would break the capture of a CUDA graph."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from portanet.backends import graphs
from tests.portability.blocks import Block, host
from tests.portability.columns import KINDS
from tests.recorded.backend import FakeGraphs, RecordedBackend, use_recorded


class Compared:
    """A step that is called twice with the same arguments: as ordinary Python, and recorded and replayed."""

    def __init__(self, step: Callable[..., Any]) -> None:
        self.recorder = graphs.Recorder(step, (), (), FakeGraphs())

    def __call__(self, *args: Any) -> Any:
        first = self.recorder(*args)
        expected = host(first)
        np.testing.assert_equal(host(self.recorder(*args)), expected)
        return first


def record(cases: list[Block], faults: list[str]) -> None:
    """Record all blocks; each that cannot be recorded, or gives other results, is a fault."""
    usual = RecordedBackend.compile
    with use_recorded():
        for block in cases:
            if not block.name.startswith("optimizers."):  # whose steps are called several times, and change arguments
                RecordedBackend.compile = lambda self, step, given=(), kept=(): Compared(step)  # type: ignore[assignment,method-assign,misc]
            try:
                for kind in KINDS:
                    run = getattr(block, kind)
                    if not isinstance(run, str):
                        with warnings.catch_warnings():
                            warnings.simplefilter("error")
                            run()
            except Exception as error:
                faults.append(f"Recorded steps: {block.name}: {type(error).__name__}: {str(error)[:500]}")
            finally:
                RecordedBackend.compile = usual  # type: ignore[method-assign]
