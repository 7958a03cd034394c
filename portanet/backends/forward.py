"""Namespaces that record what is computed and know no values: lazy arrays, and graphs to export."""

from __future__ import annotations

from typing import Any

from portanet.backends.base import Array, Backend


class ForwardBackend(Backend):
    """A library whose arrays layers can be called on, though models neither have weights there nor are trained there.

    Weights come in as constants; what looks at values is left out. `registry.FORWARD` names the subclasses, which are
    never instantiated.

    Example:
        >>> from portanet.backends.dask import DaskBackend
        >>> issubclass(DaskBackend, ForwardBackend)
        True
    """

    @classmethod
    def takes(cls, x: Array, weights: Any) -> bool:
        """Whether weights of the namespace `weights` can become constants beside the array `x`."""
        raise NotImplementedError

    @classmethod
    def constant(cls, value: Array) -> Array:
        """A weight as an array of this library."""
        raise NotImplementedError

    @classmethod
    def cost_of_reading(cls, x: Array) -> str:
        return "never"
