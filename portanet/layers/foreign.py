"""Arrays of another library than a layer's weights: NumPy's are data, others a layer cannot be called with."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import unwrap
from portanet.backends import (
    Array,
    Backend,
    backend_class_of,
    converted,
    forward_backend_of,
    get_backend,
    raw_namespace,
)
from portanet.ops.conversion import on_host
from portanet.variables import Variable


def foreign_array(what: str, backend: str, x: Array) -> TypeError:
    """The error for an array of another library.

    Args:
        what: What does not accept it, to begin the message with.
        backend: Name of the backend whose arrays it takes.
        x: The array.
    """
    return TypeError(
        f"{what} '{backend}'; convert the array with portanet.asarray(x) under portanet.use_backend('{backend}'), call "
        "model.predict(x), which converts, or choose the other backend: portanet.set_backend(...) before building, "
        f"model.to(...) after. Received: an array of '{library_name(x)}', {type(x).__name__} of shape {tuple(x.shape)}"
    )


def library_name(x: Array) -> str:
    """The name of the backend to which an array belongs, or of its library."""
    return getattr(backend_class_of(x), "name", type(x).__module__.partition(".")[0])


def foreign_to(backend: Backend, leaves: list[Any]) -> Array | None:
    """The first plain array among `leaves` that layers with weights on a backend cannot be called with; or None."""
    for leaf in map(unwrap, leaves):
        if backend_class_of(leaf) is None:  # the shape of an array, in its place
            continue
        library = forward_backend_of(leaf)
        if raw_namespace(leaf) is not backend.xp and (library is None or not library.takes(leaf, backend.xp)):
            return leaf
    return None


def is_data(x: Any, variable: Variable | None) -> bool:
    """Whether an array of NumPy is data for a layer with this variable, as for `fit`: on another backend, in use."""
    backend = get_backend()
    return on_host(x) and not backend.owns(x) and (variable is None or variable.backend.name == backend.name)


def from_host(x: Any, double: bool) -> Array:
    """An array of NumPy as one of the backend in use; floats in its default dtype, as in `fit`, or in float64."""
    return converted(x, "float64" if double and x.dtype.kind == "f" else None)
