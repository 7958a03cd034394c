"""The base class of layers that take strings, which only the host has."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portanet.autodiff import unwrap
from portanet.backends import HostArray, asarray, rows_to_host, to_host
from portanet.layers.base import Layer
from portanet.layers.output_shapes import ArraySpec
from portanet.layers.several_inputs import shape_of
from portanet.layers.symbolic import Node, SymbolicArray
from portanet.tree import tree_leaves


class HostLayer(Layer):
    """A layer that is applied to data on the host, before it reaches a model.

    Subclasses implement `on_host(x)`, from a NumPy array of strings or integers to one of numbers or strings; numbers
    are moved to the backend in use. In a graph of layers it stands at the entrance: it takes inputs of the model, or
    what other such layers return, and is computed as data is taken in (`portanet.models.host_part`). In the `call` of a
    user's layer or model it looks up what `call` was given: such a model trains without being compiled.
    """

    on_host_only = True
    input_dtype = "string"
    """The dtype of the input of a model that begins with the layer."""

    def __call__(self, x: Any = None, *further: Any, **options: Any) -> Any:
        """Look values up: `x` is a string, a list of strings at any depth, or an array of strings or integers."""
        x = options.pop("inputs", None) if x is None else x
        if any(isinstance(leaf, SymbolicArray) for leaf in tree_leaves(x)):
            self._built, self.build_shape = True, shape_of(x)
            return Node(
                self, (x,), {}, ArraySpec(self.compute_output_shape(self.build_shape)), self.output_dtype
            ).outputs
        self._built = True
        result = self.look_up(x)
        return result if result.dtype.kind in "OSU" else asarray(result, dtype=self.output_dtype)

    def look_up(self, x: Any) -> HostArray:
        """The result for strings or integers, as a NumPy array."""
        result = self.on_host(self.read(x))
        return result.astype("int32") if result.dtype.kind == "i" else result

    @property
    def output_dtype(self) -> str:
        """The name of the dtype of the output."""
        return "int32" if getattr(self, "output_mode", "int") == "int" else self.compute_dtype

    def read(self, x: Any) -> Any:
        """The input as NumPy arrays."""
        return strings_of(x, self)

    def on_host(self, x: Any) -> HostArray:
        """The result for a NumPy array."""
        raise NotImplementedError

    def compute_output_shape(self, input_shape: Any) -> Any:
        raise NotImplementedError(f"The shape of the output of layer '{self.name}' depends on the values of its input.")


def has_host_part(layer: Layer) -> bool:
    """Whether a layer is a model that contains layers of strings."""
    return layer.several_inputs is not None and layer.several_inputs.on_host


def needs_host(layer: Layer) -> bool:
    """Whether a layer of a graph, or a layer in it, is computed on the host."""
    return isinstance(layer, HostLayer) or has_host_part(layer)


def strings_in(x: Any) -> HostArray | None:
    """An array or a column of strings as a NumPy array; None for anything else."""
    if getattr(getattr(x, "dtype", None), "kind", "O") not in "OSU":
        return None
    host = to_host(x)
    if host.dtype.kind == "O" and not (host.size and all(isinstance(value, (str, bytes)) for value in host.flat)):
        return None
    return host if host.dtype.kind in "OSU" else None


def listed_strings(x: Any) -> Any:
    """Inputs, with NumPy arrays in place of lists of strings."""
    if isinstance(x, Mapping):
        return {key: listed_strings(value) for key, value in x.items()}
    if not isinstance(x, (list, tuple)) or not x:
        return x
    first = x[0]
    while isinstance(first, (list, tuple)) and first:
        first = first[0]
    return rows_to_host(x, "Argument `x`") if isinstance(first, (str, bytes)) else x


def strings_of(x: Any, layer: Any) -> HostArray:
    """A NumPy array of strings or integers, from strings, lists of them or arrays; bytes are decoded as UTF-8."""
    host = rows_to_host(unwrap(x) if hasattr(x, "dtype") else x, f"The input of layer '{layer.name}'")
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
