"""Special functions of CuPy."""

from __future__ import annotations

from typing import Any

from portanet.backends.base import Array
from portanet.backends.overrides import library_functions

NAMES = """
    betainc betaincc betainccinv betaincinv cbrt digamma entr erf erfc erfcx erfinv exp1 exp10 exp2 expi expit gammainc
    gammaincc gammainccinv gammaincinv gammaln gammasgn i0 i0e i1 i1e j0 j1 k0 k0e k1 k1e kl_div log_expit log_ndtr
    logit ndtr ndtri polygamma rel_entr spence stdtr xlog1py xlogy y0 y1 zeta
"""


def _find(name: str) -> Any:
    import cupyx.scipy.special

    own: Any = getattr(cupyx.scipy.special, name, None)  # which depends on the version

    def on_device(*arrays: Array) -> Any:
        dtype = arrays[0].dtype
        with arrays[0].device:
            if dtype.itemsize >= 4:
                return own(*arrays)
            return own(*(x.astype("float32") for x in arrays)).astype(dtype)  # CuPy would give float64

    return None if own is None else on_device


OVERRIDES = library_functions(NAMES, _find, half=NAMES.split())
