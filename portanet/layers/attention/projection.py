"""The projections of multi-head attention, as Keras names them."""

from __future__ import annotations

from typing import Any, NamedTuple

from portanet.activations import sigmoid
from portanet.autodiff import array_namespace
from portanet.backends import Array
from portanet.fused.products import dense
from portanet.variables import Variable


class Projection(NamedTuple):
    """The weights of one projection.

    Attributes:
        kernel: Shape (features, heads, size), that of the output (heads, size, features).
        bias: Shape (heads, size), that of the output (features,); None without biases.
    """

    kernel: Variable
    bias: Variable | None


def projection(name: str) -> Any:
    """A property of a layer: the weights `NAME_kernel` and `NAME_bias`.

    Args:
        name: Name of the projection: `"query"`, `"key"`, `"value"` or `"output"`.
    """

    def weights(self: Any) -> Projection:
        return Projection(getattr(self, f"{name}_kernel"), getattr(self, f"{name}_bias"))

    weights.__doc__ = f"""The weights of the {name}'s projection: `kernel` and `bias`."""
    return property(weights)


def projected(layer: Any, query: Array, value: Array, key: Array) -> list[Array]:
    """The projections of the inputs, masked or not, shape (..., heads times size): what activities are in Keras."""
    sources = {"query": query, "key": key, "value": value} | ({"gate": query} if layer.use_gate else {})
    results = []
    for name, x in sources.items():
        kernel, bias = getattr(layer, f"{name}_kernel").value, getattr(layer, f"{name}_bias")
        flat = array_namespace(kernel).reshape(kernel, (kernel.shape[0], -1))
        out = dense(x, flat, as_vector(bias))
        results.append(sigmoid(out) if name == "gate" else out)
    return results


def as_vector(bias: Variable | None) -> Array | None:
    """The values of a bias, shape (heads times size,)."""
    return None if bias is None else array_namespace(bias.value).reshape(bias.value, (-1,))


def three(x: list[Any]) -> list[Any]:
    """Query, value and key from one, two or three arrays."""
    query, value = x[0], x[min(1, len(x) - 1)]
    return [query, value, x[2] if len(x) > 2 else value]
