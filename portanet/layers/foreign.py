"""Arrays that a layer cannot be called with: those of another library than its weights."""

from __future__ import annotations

from typing import Any

from portanet.autodiff import unwrap
from portanet.backends import Array, Backend, backend_class_of, forward_backend_of, raw_namespace


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
