"""What dpnp's arrays lack."""

from __future__ import annotations

import copyreg
import functools
from collections.abc import Callable
from typing import Any

import dpnp

from portanet.backends.base import Array, HostArray
from portanet.backends.dpnp.products import matmul
from portanet.backends.holder import RightOperand

_OPERATORS = "add sub mul truediv floordiv mod divmod pow matmul and or xor lshift rshift lt le gt ge eq ne"


def complete_arrays(cls: type[Array]) -> None:
    """Let arrays operate with variables and traced arrays on their right, and be copied and pickled.

    For every right operand that they do not know, their operators raise an error instead of returning NotImplemented.
    """
    cls.__matmul__ = lambda self, other: matmul(self, other)
    for name in _OPERATORS.split():
        for operator in (f"__{name}__", f"__i{name}__"):
            if hasattr(cls, operator):  # comparisons are not in place
                setattr(cls, operator, _deferring(getattr(cls, operator)))
    # "no default __reduce__ due to non-trivial __cinit__": IntelPython/dpnp#2602
    copyreg.pickle(cls, lambda x: (_restored, (dpnp.asnumpy(x), x.sycl_device.filter_string)))


def _deferring(operator: Callable[[Array, Any], Any]) -> Callable[[Array, Any], Any]:
    @functools.wraps(operator)
    def defer(self: Array, other: Any) -> Any:
        return NotImplemented if isinstance(other, RightOperand) else operator(self, other)

    return defer


def _restored(host: HostArray, device: str) -> Array:
    return dpnp.asarray(host, device=device)
