"""Special functions of dpnp."""

from __future__ import annotations

from typing import Any

from portanet.backends.overrides import library_functions


def _find(name: str) -> Any:
    import dpnp.scipy.special

    return getattr(dpnp.scipy.special, name)


OVERRIDES = library_functions("erf erfc erfcx erfinv", _find)  # which return single precision for half
