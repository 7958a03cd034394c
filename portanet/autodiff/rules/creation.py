"""Creation and inspection: nothing to differentiate, except that `linspace` is linear in its ends."""

from __future__ import annotations

from typing import Any

from portanet.autodiff.rules.declare import composite, no_derivative

CREATION = (
    "arange", "empty", "empty_like", "eye", "from_dlpack", "full", "full_like", "ones", "ones_like", "zeros",
    "zeros_like",
)  # fmt: skip
no_derivative("a new array", *CREATION)
no_derivative("about dtypes", "can_cast", "finfo", "iinfo", "isdtype", "result_type")


@composite("linspace")
def _linspace(
    xp: Any, start: Any, stop: Any, /, num: int, *, dtype: Any = None, device: Any = None, endpoint: bool = True
) -> Any:
    steps = xp.arange(num, dtype=dtype or (start - stop).dtype, device=device)
    return start + (stop - start) * (steps / max(num - endpoint, 1))
