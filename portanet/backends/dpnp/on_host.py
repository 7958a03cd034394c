"""Functions of thousands of small steps, by NumPy's versions where the device is the processor.

There a call of dpnp takes 30 to 150 µs for any size, so that one quantile, found by bisection, took a second or more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from portanet.backends.numpy.random import random_words
from portanet.backends.numpy.special import OVERRIDES as SPECIAL


def _on_host(function: Callable[..., Any]) -> Callable[..., Any]:
    def override(*args: Any) -> Any:
        import dpnp

        if not args[0].sycl_device.is_cpu:
            return NotImplemented
        result = function(*(dpnp.asnumpy(x) if isinstance(x, dpnp.ndarray) else x for x in args))
        return result if result is NotImplemented else dpnp.asarray(np.asarray(result), device=args[0].device)

    return override


QUANTILES = ("betainccinv", "betaincinv", "gammainccinv", "gammaincinv", "stdtrit")
OVERRIDES = {name: _on_host(SPECIAL[name]) for name in QUANTILES} | {"random_words": _on_host(random_words)}
