"""Special functions of JAX."""

from __future__ import annotations

from typing import Any

from portanet.backends.base import Array

# Not digamma, gammainc, gammaincc, kl_div, rel_entr and zeta: at 0, at infinity or for NaN, some results are others
# than SciPy's; nor polygamma, which takes integers only.
NAMES = """
    betainc entr erf erfc erfinv expit gammaln gammasgn i0 i0e i1 i1e log_ndtr logit ndtr ndtri xlog1py xlogy
"""
HALF = ("erf", "erfc")
"""Those that take half precision as it is."""


def _function(name: str) -> Any:
    def function(*arrays: Array) -> Any:
        if arrays[0].dtype.itemsize < 4 and name not in HALF:
            return NotImplemented
        import jax

        return getattr(jax.scipy.special, name)(*arrays)

    return function


OVERRIDES = {name: _function(name) for name in NAMES.split()}
