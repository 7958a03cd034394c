"""Special functions of PyTorch."""

from __future__ import annotations

from typing import Any

from portanet.backends.overrides import library_functions

# Not gammainc and gammaincc, whose relative error is 2e-9 and which are not NaN for some NaN; nor ndtr, which is 0 in
# the lower tail; nor zeta, which is NaN for an infinite q.
NAMES = """
    digamma entr erf erfc erfcx erfinv expit gammaln i0 i0e i1 i1e log_ndtr logit ndtri xlog1py xlogy
"""


def _find(name: str) -> Any:
    import torch

    return getattr(torch.special, name)


OVERRIDES = library_functions(NAMES, _find, half=("erf", "erfc"))
