"""`xp.special`, where SciPy looks for special functions of a namespace."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from portanet.autodiff import special
from portanet.autodiff.namespace import Section
from portanet.autodiff.rules import special as _rules  # noqa: F401 -- declares them
from portanet.autodiff.special.declare import VALUES


class SpecialFunctions(Section):
    """The functions of `portanet.autodiff.special`, as part of a differentiable namespace."""

    def __dir__(self) -> list[str]:
        return sorted(special.__all__)

    def _wrap(self, name: str) -> Any:
        if name not in special.__all__:
            raise AttributeError(f"{self!r} has no function 'special.{name}': it offers those in docs/autodiff.md.")
        return getattr(special, name)

    @functools.cached_property
    def _recorded(self) -> dict[str, Callable[..., Any]]:
        return {}

    def recorded(self, name: str) -> Callable[..., Any]:
        """The function on arrays of one dtype, at least one of which is traced."""
        function = self._recorded.get(name)
        if function is None:
            values = VALUES[name]
            if self._root.batched:
                from portanet.autodiff.batching.namespace import batched
                from portanet.autodiff.batching.rules import special as _batched_rules  # noqa: F401 -- declares

                values = batched(values, f"special.{name}", self.raw)
            function = self._root.recorder(values, f"special.{name}")
            self._recorded[name] = function
        return function
