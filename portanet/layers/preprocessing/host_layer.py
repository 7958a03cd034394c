"""The base class of layers that take strings, which only the host has."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import unwrap
from portanet.backends import HostArray, asarray, to_host
from portanet.layers.base import Layer
from portanet.layers.symbolic import SymbolicArray
from portanet.tree import tree_leaves


class HostLayer(Layer):
    """A layer that is applied to data on the host, before it reaches a model.

    Subclasses implement `on_host(x)`, from a NumPy array of strings or integers to one of numbers or strings; numbers
    are moved to the backend in use.
    """

    def __call__(self, x: Any = None, *further: Any, **options: Any) -> Any:
        """Look values up: `x` is a string, a list of strings at any depth, or an array of strings or integers."""
        x = options.pop("inputs", None) if x is None else x
        if any(isinstance(leaf, SymbolicArray) for leaf in tree_leaves(x)):
            raise TypeError(
                f"Layer '{self.name}' ({type(self).__name__}) takes strings or reads values on the host, so it cannot "
                f"be part of a graph: call it on the data, and train the model on the result. Received: {x!r}"
            )
        self.built = True
        result = self.on_host(self.read(x))
        return result if result.dtype.kind in "OSU" else self._on_device(result)

    def _on_device(self, result: HostArray) -> Any:
        if result.dtype.kind == "i":
            return asarray(result, dtype="int32")
        return asarray(result, dtype=self.compute_dtype)

    def read(self, x: Any) -> Any:
        """The input as NumPy arrays."""
        return strings_of(x, self)

    def on_host(self, x: Any) -> HostArray:
        """The result for a NumPy array."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> Any:
        raise NotImplementedError(f"The shape of the output of layer '{self.name}' depends on the values of its input.")


def strings_of(x: Any, layer: Any) -> HostArray:
    """A NumPy array of strings or integers, from strings, lists of them or arrays; bytes are decoded as UTF-8."""
    host = to_host(unwrap(x) if hasattr(x, "dtype") else x)
    if host.dtype.kind == "O":
        values = host.reshape(-1).tolist()
        if values and all(isinstance(value, bytes) for value in values):
            host = host.astype("S")
        elif all(isinstance(value, str) for value in values):
            host = host.astype("U")
    if host.dtype.kind == "S":
        host = to_host([value.decode() for value in host.reshape(-1).tolist()]).reshape(host.shape)
    if host.size == 0 and host.dtype.kind == "f":
        return host.astype("U1")
    if host.dtype.kind not in "Uiu":
        raise ValueError(
            f"Layer '{layer.name}' takes strings or integers, in lists or arrays of equal rows. "
            f"Received: {type(x).__name__}, which is an array of dtype {host.dtype}"
        )
    return host
