"""Special functions: elementwise, so the batch axis is one more axis to broadcast."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import special
from portanet.autodiff.batching.declare import Call, rule
from portanet.autodiff.rules import RULES
from portanet.autodiff.rules import special as _rules  # noqa: F401 -- declares them


@rule(*(name for name in RULES if name.startswith("special.")))
def _elementwise(c: Call, *args: Any) -> Any:
    return getattr(special, c.name.removeprefix("special."))(*c.aligned(*args))
