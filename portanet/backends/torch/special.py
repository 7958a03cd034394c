"""Special functions of PyTorch."""

from __future__ import annotations

from typing import Any

from portanet.backends.base import Array

# Not gammainc and gammaincc, whose relative error is 2e-9 and which are not NaN for some NaN; nor ndtr, which is 0 in
# the lower tail.
NAMES = """
    digamma entr erf erfc erfcx erfinv expit gammaln i0 i0e i1 i1e log_ndtr logit ndtri xlog1py xlogy zeta
"""
HALF = ("erf", "erfc")
"""Those that take half precision as it is."""


def _function(name: str) -> Any:
    def function(*arrays: Array) -> Any:
        if arrays[0].dtype.itemsize < 4 and name not in HALF:
            return NotImplemented
        import torch

        return getattr(torch.special, name)(*arrays)

    return function


OVERRIDES = {name: _function(name) for name in NAMES.split()}
