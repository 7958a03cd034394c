"""The namespace of symbolic arrays, for functions that are written in the array API standard."""

from __future__ import annotations

import math
from typing import Any

from portanet.backends import get_backend
from portanet.backends.base import DTYPES
from portanet.ops.operation import find_operation

CONSTANTS = {"e": math.e, "inf": math.inf, "nan": math.nan, "newaxis": None, "pi": math.pi}
NAMES = {
    "abs": "absolute", "acos": "arccos", "acosh": "arccosh", "asarray": "convert_to_tensor", "asin": "arcsin",
    "asinh": "arcsinh", "astype": "cast", "atan": "arctan", "atan2": "arctan2", "atanh": "arctanh",
    "concat": "concatenate", "cumulative_prod": "cumprod", "cumulative_sum": "cumsum", "permute_dims": "transpose",
    "pow": "power", "remainder": "mod",
}  # fmt: skip
"""Functions of `portanet.ops` that have other names than in the standard."""


class SymbolicNamespace:
    """The functions of `portanet.ops` under the names of the standard; dtypes are names."""

    __name__ = "portanet.ops"

    def __getattr__(self, name: str) -> Any:
        if name in CONSTANTS:
            return CONSTANTS[name]
        if name in DTYPES:
            return name
        function = find_operation(NAMES.get(name, name))
        if function is None:
            raise AttributeError(
                "The namespace of a symbolic array has the functions of portanet.ops; wrap others as "
                f"layers.Lambda(function)(x). Received: {name}"
            )
        return function

    def isdtype(self, dtype: str, kind: Any) -> bool:
        """Whether a dtype is of a kind in the standard's words."""
        backend = get_backend()
        return bool(backend.xp.isdtype(backend.find_dtype(dtype), kind))

    def finfo(self, dtype: str) -> Any:
        """The limits of a floating-point dtype."""
        backend = get_backend()
        return backend.xp.finfo(backend.find_dtype(dtype))


namespace = SymbolicNamespace()
