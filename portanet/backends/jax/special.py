"""Special functions of JAX."""

from __future__ import annotations

from typing import Any

from portanet.backends.overrides import library_functions

# Not digamma, gammainc, gammaincc, kl_div, rel_entr and zeta: at 0, at infinity or for NaN, some results are others
# than SciPy's; nor polygamma, which takes integers only.
NAMES = """
    betainc entr erf erfc erfinv expit gammaln gammasgn i0 i0e i1 i1e log_ndtr logit ndtr ndtri xlog1py xlogy
"""


def _find(name: str) -> Any:
    import jax

    return getattr(jax.scipy.special, name)


OVERRIDES = library_functions(NAMES, _find, half=("erf", "erfc"))
