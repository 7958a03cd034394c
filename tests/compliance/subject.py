"""The module that the official compliance suite imports as `xp`: the differentiable namespace with traced arrays.

`PORTANET_COMPLIANCE` holds the wrapped namespace and the kind of arrays: `array_api_strict:reverse`. Kinds: `constant`
(arrays without a trace), `reverse` and `forward` (every floating-point array that the suite creates is an input of one
trace, which never ends).
"""

from __future__ import annotations

import importlib
import os
from typing import Any

from portanet.autodiff.namespace import differentiable_namespace, writable
from portanet.autodiff.rules import CREATION
from portanet.autodiff.traced import Node, Trace, TracedArray
from portanet.backends import raw_namespace


class Subject:
    """The differentiable namespace; new floating-point arrays are traced."""

    def __init__(self, library: str, kind: str) -> None:
        array = importlib.import_module(library).ones(())
        self._xp = differentiable_namespace(raw_namespace(array))  # the one that its arrays belong to
        self._trace = None if kind == "constant" else Trace(forward=kind == "forward")
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
        if self._trace is None or x._trace is not None or not self._xp.isdtype(x.dtype, self.floating):
            return x
        link = self._xp.raw.ones_like(x._value) if self._trace.forward else Node("input", None, None)
        return writable(TracedArray(x._value, self._trace, link, self._xp))

    floating = ("real floating", "complex floating")


xp = Subject(*os.environ.get("PORTANET_COMPLIANCE", "array_api_compat.numpy:constant").split(":"))
