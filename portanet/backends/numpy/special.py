"""Special functions on NumPy arrays: SciPy's, where it is installed, and erfc."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.numpy.scipy_module import scipy_module
from portanet.backends.overrides import library_functions

# Not betaln, whose relative error is above 1e-9 for large arguments; nor erf, whose definition is as fast.
NAMES = """
    betainc betaincc betainccinv betaincinv cbrt digamma entr erfcx erfinv exp1 exp10 exp2 expi expit gammainc gammaincc
    gammainccinv gammaincinv gammaln gammasgn i0 i0e i1 i1e j0 j1 k0 k0e k1 k1e kl_div log_expit log_ndtr logit ndtr
    ndtri polygamma rel_entr spence stdtr stdtrit xlog1py xlogy y0 y1 yn zeta
"""


def _find(name: str) -> Any:
    special = scipy_module("special")
    return None if special is None else getattr(special, name)


# W. H. Press et al., Numerical Recipes, 2nd edition, 1992, section 6.2, erfcc; highest power first.
_ERFC = (
    0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418, 0.37409196, 1.00002368,
    -1.26551223,
)  # fmt: skip


def erfc(x: Array) -> Any:
    """`1 - erf(x)` in float32 by one Chebyshev fit, of relative error 1.2e-7, in place; other dtypes by definition."""
    if x.dtype != np.float32 or not x.ndim:
        return NotImplemented
    z = np.minimum(np.abs(x), 30.0)
    t = z * 0.5
    t += 1.0
    np.reciprocal(t, out=t)
    y = t * _ERFC[0]
    y += _ERFC[1]
    for c in _ERFC[2:]:
        y *= t
        y += c
    z *= z
    y -= z
    np.exp(y, out=y)
    y *= t
    # 2 - y where x < 0, without a branch for each element.
    twice = (x < 0).astype(x.dtype)
    twice *= 2.0
    y *= 1.0 - twice
    y += twice
    return y


def hyp1f1(a: Array, b: Array, x: Array) -> Any:
    """SciPy's, which never returns for some infinite and huge numbers."""
    own = _find("hyp1f1") if x.dtype.itemsize >= 4 else None
    if own is None or not all(np.all(np.abs(v) < 1e6) for v in (a, b, x)):
        return NotImplemented
    return own(a, b, x)


OVERRIDES: dict[str, Callable[..., Any]] = {"erfc": erfc, "hyp1f1": hyp1f1, **library_functions(NAMES, _find)}
