"""What a backend is: an array library, a device and a default float dtype, and the few things that differ."""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
from collections.abc import Callable
from types import ModuleType
from typing import Any, ClassVar, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt

Array: TypeAlias = Any
"""An array of any library that follows the array API standard; the standard has no common static type."""

HostArray: TypeAlias = npt.NDArray[Any]
Step = TypeVar("Step", bound=Callable[..., Any])


class BackendUnavailableError(ImportError):
    """The chosen backend cannot run here; the message says what is missing and what to type."""


class Backend:
    """An array library on one device, with a default float dtype.

    Everything that portanet computes is written against `xp`, the library's array API namespace; this class holds
    what the standard does not cover. To add a library, subclass it in a file of its own and name it in
    `registry.BACKENDS`.
    """

    name: ClassVar[str]
    library: ClassVar[str]
    """Name of the module to import."""
    distribution: ClassVar[str]
    """What to type after `pip install` when the library is missing."""

    xp: ModuleType
    device: Any
    dtype: Any
    kernels: ClassVar[dict[str, Callable[..., Any]]] = {}
    """Optional faster versions of named ops; the version written in the standard remains the definition."""

    def __init__(self, device: Any = None, dtype: str = "float32") -> None:
        reason = self.unavailable()
        if reason is not None:
            raise BackendUnavailableError(f"Backend '{self.name}' cannot be used: {reason}")
        if dtype not in ("float16", "bfloat16", "float32", "float64"):
            raise ValueError(
                "Argument `dtype` must be 'float32', 'float64', 'float16' or 'bfloat16', the default dtype of "
                f"parameters and data. Received: dtype={dtype!r}"
            )
        self.xp = self.load()
        self.device = self.find_device(device)
        self.dtype = self.find_dtype(dtype)

    def __repr__(self) -> str:
        return f"<portanet backend {self.name} on {self.device}, {self.dtype}>"

    # Availability

    @classmethod
    def unavailable(cls) -> str | None:
        """Why this backend cannot be used here, with the remedy, or None if it can."""
        if importlib.util.find_spec(cls.library) is None:
            return f"{cls.library} is not installed. Type: pip install {cls.distribution}"
        return None

    @classmethod
    def version(cls) -> str:
        """Version of the installed library."""
        return str(importlib.import_module(cls.library).__version__)

    # Namespace, devices and dtypes

    @classmethod
    def load(cls) -> ModuleType:
        """Import the library; return its array API namespace."""
        raise NotImplementedError

    @classmethod
    def devices(cls) -> list[Any]:
        """The devices of this library that can be used here."""
        return list(cls.load().__array_namespace_info__().devices())

    def find_device(self, device: Any) -> Any:
        """The library's device object for what the user named; the library's default for None."""
        known = self.devices()
        if device is None:
            return known[0]
        for candidate in known:
            if candidate == device or str(candidate) == str(device):
                return candidate
        raise ValueError(
            f"Backend '{self.name}' has no device {device!r}. Known here: {', '.join(map(str, known))}. "
            f"Received: device={device!r}"
        )

    def find_dtype(self, dtype: str) -> Any:
        """The library's dtype object for a name such as `"float32"`."""
        try:
            return getattr(self.xp, dtype)
        except AttributeError:
            raise ValueError(
                f"Backend '{self.name}' has no dtype {dtype!r}; use 'float32'. Received: dtype={dtype!r}"
            ) from None

    # Host and device

    def from_host(self, x: HostArray) -> Array:
        """Copy a NumPy array to this backend's device, dtype kept."""
        return self.xp.asarray(x, device=self.device, copy=True)

    def to_host(self, x: Array) -> HostArray:
        """Copy an array of this backend to a NumPy array."""
        return np.asarray(x)

    def owns(self, x: Array) -> bool:
        """Whether `x` is an array of this library."""
        raise NotImplementedError

    # The machine

    def synchronize(self) -> None:  # noqa: B027 -- most libraries compute at once
        """Wait until everything asked for has been computed (for timing)."""

    def memory(self) -> dict[str, int]:
        """Bytes `used` and `total` on the device, where the library can tell."""
        return {}

    def compile(self, step: Step) -> Step:
        """A faster version of a pure function of arrays, where the library has one; else the function."""
        return step
