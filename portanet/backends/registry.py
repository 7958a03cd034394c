"""The known backends, and which one is in use here."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import os
import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from portanet.backends.base import Array, Backend

BACKENDS = {
    "numpy": ("portanet.backends.numpy", "NumpyBackend"),
    "cupy": ("portanet.backends.cupy", "CupyBackend"),
    "torch": ("portanet.backends.torch", "TorchBackend"),
    "jax": ("portanet.backends.jax", "JaxBackend"),
    "strict": ("portanet.backends.strict", "StrictBackend"),
}

_chosen: ContextVar[Backend | None] = ContextVar("portanet_backend", default=None)
_default: list[Backend] = []  # the main thread's choice, for threads that have made none


def backend_class(name: str) -> type[Backend]:
    """The class of a named backend; its library is not imported yet."""
    if name not in BACKENDS:
        near = difflib.get_close_matches(str(name), BACKENDS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        raise ValueError(f"Unknown backend.{hint} Known: 'auto', {', '.join(map(repr, BACKENDS))}. Received: {name!r}")
    module, cls = BACKENDS[name]
    found: type[Backend] = getattr(importlib.import_module(module), cls)
    return found


def make_backend(name: str, device: Any = None, dtype: str = "float32") -> Backend:
    """A backend by name, without choosing it; `"auto"` is cupy where a GPU answers, else numpy."""
    if name == "auto":
        name = "numpy" if backend_class("cupy").unavailable() else "cupy"
    return backend_class(name)(device, dtype)


def set_backend(name: str, device: Any = None, dtype: str = "float32") -> Backend:
    """Choose the array library, device and default float dtype for everything built from here on.

    The choice holds for the current context (thread or task). A thread that has chosen nothing follows the main
    thread's choice.

    Args:
        name: `"numpy"`, `"cupy"`, `"torch"`, `"jax"`, `"strict"` (array-api-strict) or `"auto"` (cupy where a GPU
            answers, else numpy).
        device: A device of that library, such as `"cuda:0"`; None for its default.
        dtype: Default dtype of parameters and data: `"float32"`, `"float64"`, ...

    Returns:
        The backend.

    Raises:
        ValueError: The backend, device or dtype is not known; the message lists those that are.
        BackendUnavailableError: The library is missing or has no device; the message says what to type.

    Example:
        >>> import portanet
        >>> portanet.set_backend("numpy")
        <portanet backend numpy on cpu, float32>
    """
    backend = make_backend(name, device, dtype)
    _chosen.set(backend)
    if threading.current_thread() is threading.main_thread():
        _default[:] = [backend]
    return backend


@contextlib.contextmanager
def use_backend(name: str | Backend, device: Any = None, dtype: str = "float32") -> Iterator[Backend]:
    """Like `set_backend`, for a `with` block in this context only; other threads do not notice.

    Example:
        >>> import portanet
        >>> with portanet.use_backend("numpy", dtype="float64") as backend:
        ...     backend.dtype
        dtype('float64')
    """
    backend = name if isinstance(name, Backend) else make_backend(name, device, dtype)
    token = _chosen.set(backend)
    try:
        yield backend
    finally:
        _chosen.reset(token)


def get_backend() -> Backend:
    """The backend in use here: this context's choice, else the main thread's, else `PORTANET_BACKEND`, else numpy.

    The environment variable holds a name, or a name and a device: `torch`, `torch:cuda:0`.
    """
    backend = _chosen.get()
    if backend is not None:
        return backend
    if not _default:
        name, _, device = os.environ.get("PORTANET_BACKEND", "numpy").partition(":")
        _default.append(make_backend(name, device or None))
    return _default[0]


def available_backends() -> dict[str, str | None]:
    """Every known backend, with None where it can be used here and otherwise the reason and the remedy.

    Example:
        >>> import portanet
        >>> portanet.available_backends()["numpy"] is None
        True
    """
    return {name: backend_class(name).unavailable() for name in BACKENDS}


def backend_of(x: Array) -> Backend | None:
    """A backend, on the array's device, for the library that `x` belongs to; None where no backend knows it."""
    root = type(x).__module__.partition(".")[0]
    for name in BACKENDS:
        cls = backend_class(name)
        if cls.library == root or (name == "jax" and root == "jaxlib"):
            return cls(x.device if name != "numpy" else None)
    return None


_KERNELS: dict[type, dict[str, Callable[..., Any]]] = {}


def kernel(name: str, x: Array) -> Callable[..., Any] | None:
    """The faster version of a named op that the library of `x` offers, if it does."""
    table = _KERNELS.get(type(x))
    if table is None:
        root = type(x).__module__.partition(".")[0]
        owners = [cls for cls in map(backend_class, BACKENDS) if root in (cls.library, f"{cls.library}lib")]
        table = _KERNELS[type(x)] = owners[0].kernels if owners else {}
    return table.get(name)
