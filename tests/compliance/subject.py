"""The module that the official compliance suite imports as `xp`: the differentiable namespace with traced arrays.

`PORTANET_COMPLIANCE` holds the wrapped namespace and the kind of arrays: `array_api_strict:reverse`. Kinds: `constant`
(arrays without a trace), `reverse` and `forward` (every floating-point array that the suite creates is an input of one
trace, which never ends), `batched` (every array is a batch of two equal ones, as in `vmap`).
"""

from __future__ import annotations

import importlib
import os
from typing import Any

import numpy as np

from portanet.autodiff.batching.array import BatchedArray, Level
from portanet.autodiff.batching.namespace import BatchedNamespace
from portanet.autodiff.namespace import differentiable_namespace, writable
from portanet.autodiff.rules import CREATION
from portanet.autodiff.traced import Node, Trace, TracedArray
from portanet.backends import raw_namespace


def readable(space: BatchedNamespace) -> BatchedNamespace:
    """The namespace; conversions of its arrays, which are errors in `vmap`, give the first example."""
    for name in ("bool", "int", "float", "complex", "index", "array"):
        setattr(space.array, f"__{name}__", lambda x, *args, name=name: first(x, f"__{name}__"))
    return space


def first(x: BatchedArray, name: str) -> Any:
    """A conversion of the first example; all are equal."""
    value = x.value[(0, ...)]
    return np.asarray(value) if name == "__array__" else getattr(value, name)()


class Subject:
    """The differentiable namespace; new floating-point arrays are traced."""

    def __init__(self, library: str, kind: str) -> None:
        raw = raw_namespace(importlib.import_module(library).ones(()))  # the one that its arrays belong to
        self._space = readable(BatchedNamespace(raw)) if kind == "batched" else None
        self._level = Level(2)
        self._xp = differentiable_namespace(self._space or raw)
        self._trace = Trace(forward=kind == "forward") if kind in ("reverse", "forward") else None
        self.__name__ = f"{self._xp.__name__}:{kind}"

    def __dir__(self) -> list[str]:
        return dir(self._xp)

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._xp, name)
        if name != "asarray" and name not in CREATION:
            return value

        def function(*args: Any, **kwargs: Any) -> Any:
            return self._traced(value(*args, **kwargs))

        function.__wrapped__ = value  # type: ignore[attr-defined]
        return function

    def _traced(self, x: Any) -> Any:
        if self._space is not None:
            return x if isinstance(x._value, BatchedArray) else self._batched(x._value)
        if self._trace is None or x._trace is not None or not self._xp.isdtype(x.dtype, self.floating):
            return x
        link = self._xp.raw.ones_like(x._value) if self._trace.forward else Node("input", None, None)
        return writable(TracedArray(x._value, self._trace, link, self._xp))

    def _batched(self, value: Any) -> Any:
        rows = self._space.library.stack([value, value])
        return writable(TracedArray(self._space.array(rows, self._level), None, None, self._xp))

    floating = ("real floating", "complex floating")


xp = Subject(*os.environ.get("PORTANET_COMPLIANCE", "array_api_compat.numpy:constant").split(":"))
