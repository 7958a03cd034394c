"""The projections of multi-head attention, as Keras names them."""

from __future__ import annotations

from typing import Any, NamedTuple

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
