"""A module in place of `cupy` that answers with NumPy what our folder asks of it, on machines without a GPU.

Kernels are compiled as C++ for the processor. What CuPy refuses is refused here, too.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
import sys
import types
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from typing import Any, ClassVar

import numpy as np
import pytest

from portanet.backends import overrides, registry
from tests.backends.cublas_standin import Gemm, Lt
from tests.backends.cupy_kernels import ElementwiseKernel, RawKernel

MISSING = {"isdtype", "unstack", "vecdot", "vector_norm"}
"""What CuPy 14 has not."""
needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="kernels are compiled by g++")


class Device(contextlib.nullcontext):  # type: ignore[type-arg]
    """The only device; array-api-compat calls it as it calls that of NumPy."""

    def __init__(self, number: Any = None) -> None:
        super().__init__()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Device) or other == "cpu"

    __hash__ = None  # type: ignore[assignment]

    def use(self) -> None:
        pass


class ndarray(np.ndarray):  # type: ignore[type-arg]  # noqa: N801 -- CuPy's name
    @property
    def device(self) -> Any:
        return Device()

    @property
    def data(self) -> Any:
        return types.SimpleNamespace(ptr=self.ctypes.data)

    def get(self) -> Any:
        return np.array(self)

    def __array_wrap__(self, x: Any, context: Any = None, return_scalar: bool = False) -> Any:
        return x.view(ndarray)

    def __array__(self, *args: Any, **options: Any) -> Any:
        raise TypeError("Implicit conversion to a NumPy array is not allowed")


def on_device(x: Any) -> Any:
    if isinstance(x, (tuple, list)):
        return tuple(map(on_device, x))
    return np.asanyarray(x).view(ndarray) if isinstance(x, (np.ndarray, np.generic)) else x


def wrapped(function: Any) -> Any:
    @functools.wraps(function)
    def call(*args: Any, **options: Any) -> Any:
        return on_device(function(*args, **options))

    return call


class Module(types.ModuleType):
    """A module whose missing names are NumPy's."""

    def __init__(self, name: str, source: Any, **own: Any) -> None:
        super().__init__(name)
        self.__dict__.update(own, source=source, __path__=[], __spec__=ModuleSpec(name, None))
        self.__all__ = sorted({*own, *(name for name in dir(source) if name[0] != "_")} - MISSING)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in MISSING:
            raise AttributeError(name)
        value = getattr(self.source, name)
        return wrapped(value) if callable(value) and not isinstance(value, type) else value


def solve(a: Any, b: Any) -> Any:
    """With the shapes that CuPy takes."""
    if b.ndim > 1 and a.shape[:-1] != b.shape[:-1]:
        raise ValueError("a must have (..., M, M) shape and b must have (..., M, K) for multidimensional b")
    return on_device(np.linalg.solve(a, b if b.ndim == a.ndim else np.broadcast_to(b, a.shape[:-1])[..., None]))


class Stream:
    """The current stream; `capturing` as a test sets it."""

    ptr = 7
    capturing = False

    waits = 0

    def is_capturing(self) -> bool:
        return self.capturing

    def synchronize(self) -> None:
        self.waits += 1


class Runtime:
    CUDA_R_16F, CUDA_R_32F, CUDA_R_64F, CUDA_C_32F, CUDA_C_64F = 2, 0, 1, 4, 5

    memoryTypeHost = 1  # noqa: N815 -- CUDA's name
    page_locked: ClassVar[set[int]] = set()
    """Addresses of arrays in page-locked memory."""

    @classmethod
    def pointerGetAttributes(cls, pointer: int) -> Any:  # noqa: N802 -- CUDA's name
        return types.SimpleNamespace(type=int(pointer in cls.page_locked))

    @staticmethod
    def getDevice() -> int:  # noqa: N802 -- CUDA's name
        return 0

    @staticmethod
    def getDeviceCount() -> int:  # noqa: N802 -- CUDA's name
        return 1


def make() -> dict[str, Any]:
    """The modules by name."""
    pool = types.SimpleNamespace(malloc=lambda size: types.SimpleNamespace(ptr=0))
    stream, gemm, lt = Stream(), Gemm(), Lt()
    cuda = Module("cupy.cuda", types.SimpleNamespace(), Device=Device, runtime=Runtime)
    cuda.get_current_stream = lambda: stream
    linalg = Module("cupy.linalg", np.linalg, solve=solve)
    cupy = Module(
        "cupy", np, ndarray=ndarray, ElementwiseKernel=ElementwiseKernel, RawKernel=RawKernel, cuda=cuda, linalg=linalg,
        fft=Module("cupy.fft", np.fft),
        is_available=lambda: True, __version__="14", get_default_memory_pool=lambda: pool,
    )  # fmt: skip
    bindings = Module("nvmath.bindings", types.SimpleNamespace(), cublas=gemm, cublasLt=lt)
    return {
        "cupy": cupy, "cupy.cuda": cuda, "cupy.cuda.device": cuda, "cupy.linalg": linalg, "cupy.fft": cupy.fft,
        "nvmath": Module("nvmath", types.SimpleNamespace(), bindings=bindings), "nvmath.bindings": bindings,
        "nvmath.bindings.cublas": gemm, "nvmath.bindings.cublasLt": lt,
    }  # fmt: skip


FOLDERS = ("array_api_compat.cupy", "portanet.backends.cupy")


def forget(names: Any) -> None:
    """Remove modules, also from their packages."""
    for name in names:
        sys.modules.pop(name, None)
        package, _, attribute = name.rpartition(".")
        if package in sys.modules:
            vars(sys.modules[package]).pop(attribute, None)


@contextlib.contextmanager
def in_place_of_cupy() -> Iterator[Any]:
    """Inside, `import cupy` gives the stand-in, also to our folder."""
    replaced = {name: module for name, module in sys.modules.items() if name.startswith((*FOLDERS, "cupy", "nvmath"))}
    forget(replaced)
    modules = make()
    sys.modules.update(modules)
    from portanet.backends.cupy.backend import CupyBackend

    for by_type in (registry._OWNERS, overrides._LIBRARIES):
        by_type[ndarray] = CupyBackend
    try:
        yield modules["cupy"]
    finally:
        for by_type in (registry._OWNERS, overrides._LIBRARIES, registry._NAMESPACES, overrides._LEAST_ELEMENTS):
            by_type.pop(ndarray, None)
        forget([name for name in sys.modules if name in modules or name.startswith(FOLDERS)])
        sys.modules.update(replaced)
        for name in FOLDERS:
            package, _, attribute = name.rpartition(".")
            if name in replaced:
                setattr(sys.modules[package], attribute, replaced[name])
