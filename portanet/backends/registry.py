"""The known backends, and which one is in use here."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import os
import sys
import threading
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from types import ModuleType
from typing import Any, Literal, TypeAlias

import array_api_compat
import numpy as np

from portanet import checks
from portanet.backends.base import Array, Backend, BackendUnavailableError
from portanet.backends.forward import ForwardBackend
from portanet.backends.holder import ArrayHolder

BackendName: TypeAlias = Literal["auto", "numpy", "cupy", "torch", "jax", "mlx", "dpnp", "strict"]
"""The names that `set_backend` takes."""

BACKENDS: dict[BackendName, tuple[str, str]] = {
    "numpy": ("portanet.backends.numpy.backend", "NumpyBackend"),
    "cupy": ("portanet.backends.cupy.backend", "CupyBackend"),
    "torch": ("portanet.backends.torch.backend", "TorchBackend"),
    "jax": ("portanet.backends.jax.backend", "JaxBackend"),
    "mlx": ("portanet.backends.mlx.backend", "MlxBackend"),
    "dpnp": ("portanet.backends.dpnp.backend", "DpnpBackend"),
    "strict": ("portanet.backends.strict", "StrictBackend"),
}

FORWARD = {
    "dask": ("portanet.backends.dask", "DaskBackend"),
    "ndonnx": ("portanet.backends.ndonnx.backend", "NdonnxBackend"),
    "recorded": ("portanet.backends.numpy.recorded", "RecordedBackend"),
    "symbols": ("portanet.backends.numpy.programs", "SymbolsBackend"),
    "elements": ("portanet.backends.cupy.elements", "ElementsBackend"),
}
"""Libraries on whose arrays layers can be called, though no model has its weights there."""

_chosen: ContextVar[Backend | None] = ContextVar("portanet_backend", default=None)
_in_block: ContextVar[bool] = ContextVar("portanet_in_block_of_use_backend", default=False)
_default: list[Backend] = []  # the main thread's choice, for threads that have made none


def backend_class(name: str) -> type[Backend]:
    """The class of a named backend; its library is not imported yet.

    Example:
        >>> backend_class("numpy").name
        'numpy'
    """
    if not isinstance(name, str) or name not in BACKENDS:
        near = difflib.get_close_matches(str(name), BACKENDS, n=1)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        if isinstance(name, str) and name.split(":")[0].lower() in ("cpu", "cuda", "gpu", "mps", "xpu"):
            hint = f" {name!r} is a device, which comes after the name: 'torch', {name!r}."
        known = ", ".join(map(repr, ("auto", *BACKENDS)))
        raise ValueError(f"Unknown backend.{hint} Argument `name` must be one of {known}. Received: name={name!r}")
    return _imported(*BACKENDS[name])


def no_dtype(backend: str, name: str, known: Sequence[str] = ()) -> str:
    """The message that a backend has no dtype of that name.

    Example:
        >>> no_dtype("numpy", "float31", ["float32"])
        "Backend 'numpy' has no such dtype. Known: 'float32'. Received: dtype='float31'"
    """
    having = ""
    if others := [other for other in BACKENDS if isinstance(name, str) and name in backend_class(other).half_precision]:
        having = f" Backends {', '.join(others[:-1])} and {others[-1]} have it."
    listed = f" Known: {', '.join(map(repr, known))}." if known else ""
    return f"Backend '{backend}' has no such dtype.{having}{listed} Received: dtype={name!r}"


def _imported(module: str, name: str) -> type[Backend]:
    cls: type[Backend] = getattr(importlib.import_module(module), name)
    return cls


def make_backend(name: str | Backend, device: Any = None, dtype: str = "float32") -> Backend:
    """A backend by name, without choosing it; `"auto"` is the first that is `preferred` here, else numpy.

    Example:
        >>> make_backend("numpy").name
        'numpy'
    """
    if isinstance(name, Backend):
        if device is not None or not isinstance(dtype, str) or dtype != "float32":
            raise ValueError(
                f"A backend object brings its own device and dtype; give its name, {name.name!r}, to choose others. "
                f"Received: {name!r}, device={device!r}, dtype={dtype!r}"
            )
        return name
    if isinstance(name, str) and name == "auto":
        name = next((known for known in BACKENDS if backend_class(known).preferred()), "numpy")
    return backend_class(name)(device, dtype)


def set_backend(name: BackendName | Backend, device: Any = None, dtype: str = "float32") -> Backend:
    """Choose the array library, device and default float dtype for everything built from here on.

    The choice holds for the current context (thread or asyncio task), and inside of `use_backend` until its block ends.
    A context that has chosen nothing follows the main thread's latest choice outside of such blocks.

    Args:
        name: A name such as `"numpy"`, `"cupy"`, `"torch"`, or `"auto"` (cupy where an NVIDIA GPU answers, mlx on Apple
            silicon, else numpy); or a backend that one of these functions returned. `available_backends` lists them.
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
    backend.activate()
    _chosen.set(backend)
    if threading.current_thread() is threading.main_thread() and not _in_block.get():
        _default[:] = [backend]
    return backend


@contextlib.contextmanager
def use_backend(name: BackendName | Backend, device: Any = None, dtype: str = "float32") -> Iterator[Backend]:
    """Like `set_backend`, for a `with` block in this context only; other threads do not notice.

    Args:
        name: As for `set_backend`.
        device: As for `set_backend`.
        dtype: As for `set_backend`.

    Example:
        >>> import portanet
        >>> with portanet.use_backend("numpy", dtype="float64") as backend:
        ...     backend.dtype
        dtype('float64')
    """
    backend = make_backend(name, device, dtype)
    backend.activate()
    token, block = _chosen.set(backend), _in_block.set(True)
    try:
        yield backend
    finally:
        _chosen.reset(token)
        _in_block.reset(block)
        outer = _chosen.get()
        if outer is not None:
            outer.activate()


def get_backend() -> Backend:
    """The backend in use here: this context's choice, else the main thread's, else `PORTANET_BACKEND`, else numpy.

    The environment variable holds a name, or a name and a device: `torch`, `torch:cuda:0`.

    Example:
        >>> import portanet
        >>> with portanet.use_backend("numpy"):
        ...     get_backend().name
        'numpy'
    """
    backend = _chosen.get()
    if backend is not None:
        return backend
    if not _default:
        variable = os.environ.get("PORTANET_BACKEND") or "numpy"
        name, _, device = variable.partition(":")
        try:
            _default.append(make_backend(name, device or None))
        except (ValueError, BackendUnavailableError) as error:
            error.add_note(f"The choice came from the environment variable PORTANET_BACKEND={variable!r}.")
            raise
        _default[0].activate()
    return _default[0]


def available_backends() -> dict[BackendName, str | None]:
    """Every known backend, with None where it can be used here and otherwise the reason and the remedy.

    Example:
        >>> import portanet
        >>> portanet.available_backends()["numpy"] is None
        True
    """
    return {name: backend_class(name).unavailable() for name in BACKENDS}


def require_plain(x: Any, what: str = "Data") -> None:
    """Reject arrays whose library computes with them otherwise than with plain ones, or loses a part.

    Args:
        x: The array.
        what: Its name, to begin the error with.

    Example:
        >>> import numpy as np
        >>> require_plain(np.ones(2))
    """
    _require_plain_on_host(x, what)
    owner = _OWNERS.get(type(x))
    if owner is not None:
        owner.require_plain(x, what)


def _require_plain_on_host(x: Any, what: str = "Data") -> None:
    if isinstance(x, np.ma.MaskedArray):
        remedy = "masked values have no meaning here; replace them, as with x.filled(0), or drop their rows"
    elif isinstance(x, np.matrix):
        remedy = "np.matrix multiplies otherwise; convert it with np.asarray(x)"
    elif hasattr(x, "toarray") and hasattr(x, "nnz"):
        remedy = "sparse matrices are not supported; convert them with x.toarray(), in batches if they are large"
    else:
        return
    raise TypeError(f"{what} must be plain arrays: {remedy}. Received: {type(x).__name__} of shape {x.shape}")


_OWNERS: dict[type, type[Backend] | None] = {}


def backend_class_of(x: Any) -> type[Backend] | None:
    """The backend class for the library that the array `x` belongs to; None if there is none. Imports no library.

    Example:
        >>> import numpy as np
        >>> backend_class_of(np.ones(2)).name, backend_class_of("text")
        ('numpy', None)
    """
    kind = type(x)
    if kind not in _OWNERS:
        _require_plain_on_host(x)
        known = (_imported(*place) for place in (*BACKENDS.values(), *FORWARD.values()))
        imported = (cls for cls in known if cls.library in sys.modules)
        _OWNERS[kind] = next((cls for cls in imported if cls.owns(x)), None)
    return _OWNERS[kind]


def forward_backend_of(x: Any) -> type[ForwardBackend] | None:
    """The class for the library of `x`, if it is one where layers compute forward and no model lives.

    Example:
        >>> import numpy as np
        >>> forward_backend_of(np.ones(2)) is None
        True
    """
    owner = backend_class_of(x)
    return owner if owner is not None and issubclass(owner, ForwardBackend) else None


_NAMESPACES: dict[type, ModuleType] = {}


def raw_namespace(x: Array) -> Any:
    """The array API namespace of the library that `x` belongs to, through array-api-compat; cached by type.

    Raises:
        TypeError: `x` is not an array of a library that follows the standard.

    Example:
        >>> import numpy as np
        >>> raw_namespace(np.ones(2)).__name__
        'portanet.backends.numpy.namespace'
    """
    kind = type(x)
    xp = _NAMESPACES.get(kind)
    if xp is None:
        if isinstance(x, ArrayHolder):
            return raw_namespace(x._value)
        try:
            owner = backend_class_of(x)
            xp = array_api_compat.array_namespace(x, use_compat=None) if owner is None else owner.load()
        except TypeError:
            require_plain(x, checks.taken_as(x))
            raise TypeError(
                f"{checks.taken_as(x)} must be an array of a library that follows the array API standard; "
                f"convert lists and numbers with portanet.asarray. Received: {x!r} (of type "
                f"{kind.__module__}.{kind.__qualname__})"
            ) from None
        _NAMESPACES[kind] = xp
    return xp


def is_of(x: Array, xp: Any) -> bool:
    """Whether an array is of the library with this namespace, or a batch of its arrays inside `vmap`.

    Example:
        >>> import numpy as np
        >>> is_of(np.ones(2), raw_namespace(np.ones(2)))
        True
    """
    mine, other = (getattr(namespace, "wrapped_library", namespace) for namespace in (raw_namespace(x), xp))
    return mine is other


def is_dtype(xp: Any, dtype: Any, kind: str | tuple[str, ...] = ("bool", "numeric")) -> bool:
    """Whether this is a dtype of a library, of a kind in the standard's words; no error for other objects.

    Example:
        >>> import numpy as np
        >>> is_dtype(np, np.float32, "real floating"), is_dtype(np, "float32"), is_dtype(np, [1])
        (True, False, False)
    """
    try:
        return bool(xp.isdtype(dtype, kind))
    except (TypeError, ValueError, AttributeError):  # libraries differ
        return False


def device_of(x: Array) -> Any:
    """The device that `x` is on.

    Example:
        >>> import numpy as np
        >>> device_of(np.ones(2))
        'cpu'
    """
    return "cpu" if type(x) is np.ndarray else (backend_class_of(x) or Backend).device_of(x)


def to_device(x: Array, device: Any, *, stream: Any = None) -> Array:
    """`x` on another device of its library.

    Example:
        >>> import numpy as np
        >>> to_device(np.ones(2), "cpu").tolist()
        [1.0, 1.0]
    """
    return (backend_class_of(x) or Backend).to_device(x, device, stream=stream)


def lifetime(x: Array) -> Any:
    """An object that takes weak references and lives as long as `x`; `x` itself in most libraries.

    Example:
        >>> import numpy as np
        >>> x = np.ones(2)
        >>> lifetime(x) is x
        True
    """
    return (backend_class_of(x) or Backend).lifetime(x)
