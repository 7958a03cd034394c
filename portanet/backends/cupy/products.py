"""Products of matrices: CuPy's, and cuBLAS through NVIDIA's own bindings (nvmath-python) where CuPy's do not do.

CuPy refuses to call cuBLAS while a CUDA graph is recorded, and multiplies stacks of float16 matrices in float32.
Elsewhere its own products are used, which cost the host half as much.
"""

from __future__ import annotations

import functools
import importlib.util
import math
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from portanet.backends import contraction, recording
from portanet.backends.base import Array
from portanet.extras import install_command

WORKSPACE = 32 * 2**20
"""Bytes that cuBLAS may use, as NVIDIA recommends for Hopper. With memory of its own, products are deterministic."""

DTYPES = {"e": "CUDA_R_16F", "f": "CUDA_R_32F", "d": "CUDA_R_64F", "F": "CUDA_C_32F", "D": "CUDA_C_64F"}
SCALARS = {char: (np.ones(1, scale), np.zeros(1, scale)) for char, scale in zip("efdFD", "ffdFD", strict=True)}
"""By dtype: 1 and 0 in the dtype of the factors of a product and its addend, which cuBLAS reads through pointers."""

_own = threading.local()  # handles are for one thread, and a workspace is for one product at a time
_tf32 = False


def set_precision(precision: str) -> None:
    """Whether products of float32 matrices may round their factors to TensorFloat-32: "high" or "highest", not.

    Raises:
        ImportError: TensorFloat-32 needs nvmath-python, which is not installed.
    """
    global _tf32
    if precision == "high" and not has_bindings():
        raise ImportError(
            "Products in TensorFloat-32 on CuPy need nvmath-python. Type: "
            f"{install_command('cupy13')} (CUDA 13) or {install_command('cupy12')} (CUDA 12)"
        )
    _tf32 = precision == "high"


def rounds_to_tf32() -> bool:
    """Whether products of float32 arrays may round their factors."""
    return _tf32


def matmul(x1: Array, x2: Array, /) -> Array:
    """As in the standard."""
    import cupy

    if x1.dtype != x2.dtype or x1.dtype.char not in DTYPES or 0 in (x1.ndim, x2.ndim) or not x1.size or not x2.size:
        return cupy.matmul(x1, x2)
    handle = _handle() if has_bindings() else None  # made before a graph is recorded: it allocates memory
    half, tf32 = x1.dtype.char == "e", _tf32 and x1.dtype.char in "fF"
    if handle is None or not (half or tf32 or cupy.cuda.get_current_stream().is_capturing()):
        return cupy.matmul(x1, x2)
    if x2.ndim == 1:
        return matmul(x1, x2[:, None])[..., 0]
    if x1.ndim == 1:
        return matmul(x1[None, :], x2)[..., 0, :]
    if x1.shape[-1] != x2.shape[-2]:
        raise ValueError(f"Matrices do not match. Received: shapes {x1.shape} and {x2.shape}")
    if x2.ndim == 2 and x1.ndim > 2:  # one product
        return matmul(x1.reshape(-1, x1.shape[-1]), x2).reshape(*x1.shape[:-1], x2.shape[-1])
    return _product(handle, x1, x2, tf32)


def vecdot(x1: Array, x2: Array, /, *, axis: int = -1) -> Array:
    """As in the standard."""
    return ((x1.conj() if x1.dtype.kind == "c" else x1) * x2).sum(axis=axis)


def tensordot(x1: Array, x2: Array, /, *, axes: int | tuple[Sequence[int], Sequence[int]] = 2) -> Array:
    """As in the standard, as one product of matrices."""
    return contraction.tensordot(matmul, x1, x2, axes)


@functools.cache
def has_bindings() -> bool:
    """Whether nvmath-python is there."""
    return importlib.util.find_spec("nvmath") is not None


def workspace() -> Any:
    """Memory for this thread's products on the current device, which are computed one after the other."""
    import cupy

    spaces, device = _own.__dict__.setdefault("workspaces", {}), cupy.cuda.runtime.getDevice()
    if device not in spaces:
        spaces[device] = cupy.get_default_memory_pool().malloc(WORKSPACE)  # not of the pool of a graph
    recording.keep(spaces[device])  # beyond the end of this thread
    return spaces[device]


def _handle() -> Any:
    """This thread's handle of cuBLAS for the current device and stream, with a workspace of its own."""
    import cupy
    from nvmath.bindings import cublas

    device, stream = cupy.cuda.runtime.getDevice(), cupy.cuda.get_current_stream().ptr
    handles, own = _own.__dict__.setdefault("handles", {}), workspace()
    if device not in handles:
        handles[device] = [cublas.create(), None]
    handle, current = handles[device]
    if current != stream:
        cublas.set_stream(handle, stream)
        cublas.set_workspace(handle, own.ptr, WORKSPACE)
        handles[device][1] = stream
    return handle


def _product(handle: Any, x1: Array, x2: Array, tf32: bool) -> Array:
    """The product of matrices or stacks of them. cuBLAS stores by columns: it computes the transpose, `x2.T @ x1.T`."""
    import cupy
    from nvmath.bindings import cublas

    lead = np.broadcast_shapes(x1.shape[:-2], x2.shape[:-2])
    x1, x2 = _readable(x1, lead), _readable(x2, lead)
    (rows, length), columns, char = x1.shape[-2:], x2.shape[-1], x1.dtype.char
    out = cupy.empty((*lead, rows, columns), dtype=x1.dtype)
    compute = cublas.ComputeType
    kind = compute.COMPUTE_32F_FAST_TF32 if tf32 else compute.COMPUTE_64F if char in "dD" else compute.COMPUTE_32F
    dtype = getattr(cupy.cuda.runtime, DTYPES[char])
    one, zero = (scalar.ctypes.data for scalar in SCALARS[char])
    (turn1, step1), (turn2, step2) = layout(x1) or (0, 0), layout(x2) or (0, 0)
    stacks = (_stride(x1, lead), _stride(x2, lead))
    cublas.gemm_strided_batched_ex(
        *(handle, turn2, turn1, columns, rows, length, one),
        *(x2.data.ptr, dtype, step2, stacks[1]),
        *(x1.data.ptr, dtype, step1, stacks[0]),
        *(zero, out.data.ptr, dtype, columns, rows * columns),
        *(math.prod(lead), kind, cublas.GemmAlgo.DEFAULT),
    )
    return out


def _readable(x: Array, lead: tuple[int, ...]) -> Array:
    """The array, or a copy, whose matrices cuBLAS can read: one axis without gaps, and equal distances in the stack."""
    import cupy

    if layout(x) is not None and _stride(x, lead) is not None:
        return x
    x = cupy.ascontiguousarray(x)
    return x if _stride(x, lead) is not None else cupy.ascontiguousarray(cupy.broadcast_to(x, (*lead, *x.shape[-2:])))


def layout(x: Array) -> tuple[int, int] | None:
    """Whether the matrices are transposed, and the distance of their rows (columns, if transposed); None if neither."""
    rows, columns = x.shape[-2:]
    down, right = (stride // x.itemsize for stride in x.strides[-2:])
    if (right == 1 or columns == 1) and (down >= columns or rows == 1):
        return 0, down if rows > 1 else columns
    if (down == 1 or rows == 1) and (right >= rows or columns == 1):
        return 1, right if columns > 1 else rows
    return None


def _stride(x: Array, lead: tuple[int, ...]) -> int | None:
    """The distance of the matrices in the stack, if it is broadcast to `lead`; None if there is no single one."""
    missing = len(lead) - (x.ndim - 2)
    sizes = (1,) * missing + x.shape[:-2]
    strides = (0,) * missing + tuple(stride // x.itemsize for stride in x.strides[:-2])
    stride, count = None, 1
    for size, own, full in zip(reversed(sizes), reversed(strides), reversed(lead), strict=True):
        if full == 1:
            continue
        own = own if size > 1 else 0
        if stride is None:
            stride = own
        elif own != stride * count:
            return None
        count *= full
    return stride or 0
