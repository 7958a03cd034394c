"""Special functions of CuPy."""

from __future__ import annotations

from typing import Any

from portanet.backends.base import Array

NAMES = """
    betainc betaincc betainccinv betaincinv cbrt digamma entr erf erfc erfcx erfinv exp1 exp10 exp2 expi expit gammainc
    gammaincc gammainccinv gammaincinv gammaln gammasgn i0 i0e i1 i1e j0 j1 k0 k0e k1 k1e kl_div log_expit log_ndtr
    logit ndtr ndtri polygamma rel_entr spence stdtr xlog1py xlogy y0 y1 zeta
"""
HALF = ("erf", "erfc")
"""Those that take half precision as it is."""


def _function(name: str) -> Any:
    def function(*arrays: Array) -> Any:
        if arrays[0].dtype.itemsize < 4 and name not in HALF:
            return NotImplemented
        import cupyx.scipy.special

        with arrays[0].device:
            own = getattr(cupyx.scipy.special, name, None)  # which depends on the version
            return NotImplemented if own is None else own(*arrays)

    return function


OVERRIDES = {name: _function(name) for name in NAMES.split()}
