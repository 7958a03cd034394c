"""Attributes for the parameters of layers and their gradients, with NumPyDL's names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from portanet.backends import Array, HostArray, to_host
from portanet.compat.numpydl.layers.base import Layer
from portanet.compat.numpydl.utils.random import to_float
from portanet.variables import Variable


class Weight:
    """A descriptor for a parameter, or its gradient, in NumPyDL's layout.

    Args:
        name: Last part of the path of the variable.
        view: `view(layer, array)` returns a view in NumPyDL's layout of a NumPy array with the variable's values.
        grad: Whether this is the gradient.
    """

    def __init__(
        self, name: str, view: Callable[[Any, HostArray], HostArray] | None = None, grad: bool = False
    ) -> None:
        self.name = name
        self.view = view
        self.grad = grad

    def __get__(self, layer: Layer | None, _: Any = None) -> Any:
        if layer is None:
            return self
        value = self._arrays(layer).get(self.name)
        return value if value is None or self.view is None else to_float(self.view(layer, to_host(value)))

    def __set__(self, layer: Layer, value: Any) -> None:
        if value is None:  # scripts initialise attributes before they connect the layer
            return
        layer.connected()
        variable = self._variables(layer)[self.name]
        new = to_float(value)
        if self.view is not None:
            old = self._arrays(layer)[self.name]
            host = np.zeros(variable.shape) if old is None else np.array(to_host(old))
            self.view(layer, host)[...] = to_host(new)
            new = to_float(host)
        if self.grad:
            layer._grads = list((self._arrays(layer) | {self.name: new}).values())
        else:
            variable.assign(new)

    def _arrays(self, layer: Layer) -> dict[str, Array | None]:
        named = self._variables(layer)
        if self.grad:
            return dict(zip(named, list(layer._grads) or [None] * len(named), strict=True))
        return {name: variable.value for name, variable in named.items()}

    @staticmethod
    def _variables(layer: Layer) -> dict[str, Variable]:
        return {path.rsplit("/", 1)[-1]: v for path, v in layer.trainable_variables().items()}
