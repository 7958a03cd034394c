"""A module in place of `cupy` that answers with NumPy what our folder asks of it, on machines without a GPU.

Kernels are compiled as C++ for the processor. What CuPy refuses is refused here, too.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import shutil
import sys
import types
from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from typing import Any

import numpy as np
import pytest

from portanet.backends import overrides, registry
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

    def is_capturing(self) -> bool:
        return self.capturing


class Runtime:
    CUDA_R_16F, CUDA_R_32F, CUDA_R_64F, CUDA_C_32F, CUDA_C_64F = 2, 0, 1, 4, 5

    @staticmethod
    def getDevice() -> int:  # noqa: N802 -- CUDA's name
        return 0

    @staticmethod
    def getDeviceCount() -> int:  # noqa: N802 -- CUDA's name
        return 1


KINDS = {2: np.float16, 0: np.float32, 1: np.float64, 4: np.complex64, 5: np.complex128}


class Gemm:
    """cuBLAS's product of matrices stored by columns, as nvmath-python calls it."""

    ComputeType = types.SimpleNamespace(COMPUTE_32F=68, COMPUTE_64F=70, COMPUTE_32F_FAST_TF32=77)
    GemmAlgo = types.SimpleNamespace(DEFAULT=-1)

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.kinds: set[str] = set()
        self.stream: Any = None

    def create(self) -> int:
        return 1

    def set_stream(self, handle: int, stream: int) -> None:
        self.stream = stream

    def set_workspace(self, handle: int, pointer: int, size: int) -> None:
        assert self.stream is not None, "a workspace is forgotten when the stream is set"

    def gemm_strided_batched_ex(self, handle, ta, tb, m, n, k, alpha, a, at, lda, sa, b, bt, ldb, sb, beta, c, ct, ldc,
                                sc, count, kind, algo) -> None:  # fmt: skip
        self.calls.append(kind)
        dtype = np.dtype(KINDS[at])
        self.kinds.add(dtype.name)
        assert at == bt == ct
        assert lda >= (k if ta else m)
        assert ldb >= (n if tb else k)
        assert ldc >= m
        scale = np.dtype(np.float32 if dtype == np.float16 else dtype)
        assert [at_address(p, scale, 1)[0] for p in (alpha, beta)] == [1, 0]

        def matrix(pointer: int, rows: int, columns: int, distance: int) -> Any:
            flat, size = at_address(pointer, dtype, distance * (columns - 1) + rows), dtype.itemsize
            return np.lib.stride_tricks.as_strided(flat, (rows, columns), (size, distance * size))

        for i in range(count):
            left = matrix(a + i * sa * dtype.itemsize, *((k, m) if ta else (m, k)), lda)
            right = matrix(b + i * sb * dtype.itemsize, *((n, k) if tb else (k, n)), ldb)
            out = matrix(c + i * sc * dtype.itemsize, m, n, ldc)
            with np.errstate(over="ignore"):
                out[...] = (left.T if ta else left).astype(scale) @ (right.T if tb else right).astype(scale)


def at_address(pointer: int, dtype: Any, count: int) -> Any:
    return np.ctypeslib.as_array((ctypes.c_byte * (count * dtype.itemsize)).from_address(pointer)).view(dtype)


def make() -> dict[str, Any]:
    """The modules by name."""
    pool = types.SimpleNamespace(malloc=lambda size: types.SimpleNamespace(ptr=0))
    stream, gemm = Stream(), Gemm()
    cuda = Module("cupy.cuda", types.SimpleNamespace(), Device=Device, runtime=Runtime)
    cuda.get_current_stream = lambda: stream
    linalg = Module("cupy.linalg", np.linalg, solve=solve)
    cupy = Module(
        "cupy", np, ndarray=ndarray, ElementwiseKernel=ElementwiseKernel, RawKernel=RawKernel, cuda=cuda, linalg=linalg,
        fft=Module("cupy.fft", np.fft),
        is_available=lambda: True, __version__="14", get_default_memory_pool=lambda: pool,
    )  # fmt: skip
    bindings = Module("nvmath.bindings", types.SimpleNamespace(), cublas=gemm)
    return {
        "cupy": cupy, "cupy.cuda": cuda, "cupy.cuda.device": cuda, "cupy.linalg": linalg, "cupy.fft": cupy.fft,
        "nvmath": Module("nvmath", types.SimpleNamespace(), bindings=bindings), "nvmath.bindings": bindings,
        "nvmath.bindings.cublas": gemm,
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
