"""The device layer: the only part of portanet that imports an array library."""

from portanet.backends.base import Array, Backend, BackendUnavailableError, HostArray
from portanet.backends.conversion import asarray, converted, dtype_for, numeric, readable, require_exact, to_host
from portanet.backends.forward import ForwardBackend
from portanet.backends.holder import ArrayHolder, held
from portanet.backends.overrides import elementwise, is_large, map_rows, overridable
from portanet.backends.registry import (
    BACKENDS,
    available_backends,
    backend_class,
    backend_class_of,
    device_of,
    forward_backend_of,
    get_backend,
    is_dtype,
    is_of,
    make_backend,
    raw_namespace,
    require_plain,
    set_backend,
    to_device,
    use_backend,
)

__all__ = [
    "BACKENDS",
    "Array",
    "ArrayHolder",
    "Backend",
    "BackendUnavailableError",
    "ForwardBackend",
    "HostArray",
    "asarray",
    "available_backends",
    "backend_class",
    "backend_class_of",
    "converted",
    "device_of",
    "dtype_for",
    "elementwise",
    "forward_backend_of",
    "get_backend",
    "held",
    "is_dtype",
    "is_large",
    "is_of",
    "make_backend",
    "map_rows",
    "numeric",
    "overridable",
    "raw_namespace",
    "readable",
    "require_exact",
    "require_plain",
    "set_backend",
    "to_device",
    "to_host",
    "use_backend",
]
