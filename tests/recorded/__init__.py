"""A library whose computations can be recorded and replayed, in place of CUDA graphs: array-api-strict on `device1`.

While a step is recorded (`tape.recording`), whatever would break the capture of a CUDA graph raises `CaptureError`:
reading a value, moving data between host and device, a shape that depends on values.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from types import ModuleType
from typing import Any

import array_api_strict as strict

from tests.recorded.tape import Array, CaptureError, call, forbid

__all__ = ["Array", "CaptureError"]

READING = {"nonzero", "unique_all", "unique_counts", "unique_inverse", "unique_values"}


def _function(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    def recorded(*args: Any, **kwargs: Any) -> Any:
        if name in READING:
            forbid(f"{name}, whose shape depends on values")
        if name == "repeat" and isinstance([*args, *kwargs.values()][1], Array):
            forbid("repeat, whose shape depends on values")
        if name == "asarray" and not isinstance(args[0], Array):
            forbid(f"asarray of {type(args[0]).__name__} sends it to the device")
        return call(function, *args, **kwargs)

    recorded.__name__ = name
    return recorded


def _fill(namespace: dict[str, Any], source: Any) -> None:
    for name in dir(source):
        value = getattr(source, name)
        if name.startswith("_") or isinstance(value, type):
            continue
        plain = name in ("isdtype", "finfo", "iinfo", "broadcast_shapes") or not callable(value)
        namespace[name] = value if plain or isinstance(value, ModuleType) else _function(value, name)


_fill(globals(), strict)
for _section in ("linalg", "fft"):
    _module = ModuleType(f"tests.recorded.{_section}")
    _fill(vars(_module), getattr(strict, _section))
    globals()[_section] = _module
__array_namespace_info__ = strict.__array_namespace_info__
__array_api_version__ = strict.__array_api_version__


def _operator(name: str, reflected: bool = False) -> Callable[..., Any]:
    function = getattr(operator, name)

    def method(self: Array, other: Any) -> Any:
        if type(other) not in (Array, bool, int, float, complex):
            return NotImplemented
        return call(function, other, self) if reflected else call(function, self, other)

    return method


def _unary(name: str) -> Callable[[Array], Any]:
    return lambda self: call(getattr(operator, name), self)


ARITHMETIC = (
    "add",
    "sub",
    "mul",
    "truediv",
    "floordiv",
    "mod",
    "pow",
    "matmul",
    "and",
    "or",
    "xor",
    "lshift",
    "rshift",
)
for _name in ARITHMETIC:
    setattr(Array, f"__{_name}__", _operator(f"__{_name}__"))
    setattr(Array, f"__r{_name}__", _operator(f"__{_name}__", reflected=True))
    setattr(Array, f"__i{_name}__", _operator(f"__i{_name}__"))
for _name in ("eq", "ne", "lt", "le", "gt", "ge"):
    setattr(Array, f"__{_name}__", _operator(f"__{_name}__"))
for _name in ("neg", "pos", "abs", "invert"):
    setattr(Array, f"__{_name}__", _unary(f"__{_name}__"))
