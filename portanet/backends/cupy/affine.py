"""Dense layers with the bias, or its derivative, in the product, by cuBLASLt: overrides of `portanet.fused`.

cuBLASLt (nvmath-python) chooses an algorithm once for each kind of product. It is one that gives the same bits in every
run: parts of long sums are added up in float32, in a fixed order, in a workspace of the thread. CUDA graphs can record
products.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.cupy import products

MOST = 512
"""Plans that a thread keeps; of more, the least recently used is dropped."""
ALIGNED = 16
"""Bytes of which addresses are multiples: what a thread reads at once."""
MARGIN = 16
"""Bytes of the workspace that are not offered: some versions need a little more than they ask for."""

_own = threading.local()  # handles and plans are for one thread


def affine(x: Array, kernel: Array, bias: Array | None, *, activation: str | None = None) -> Any:
    """As `portanet.fused.products.affine`; with an activation it computes, since NVIDIA's relu makes 0 of NaN."""
    if bias is None or activation is not None:
        return NotImplemented
    out = _product("BIAS", x.reshape(-1, x.shape[-1]) if x.ndim > 2 else x, kernel, bias)
    return out if out is NotImplemented or x.ndim == 2 else out.reshape(*x.shape[:-1], kernel.shape[-1])


def dense_weights(rows: Array, g: Array, *, biased: bool) -> Any:
    """As `portanet.fused.products.dense_weights`: the sum of the cotangents is a part of the product."""
    import cupy

    if not biased:
        return NotImplemented
    with g.device:
        total = cupy.empty(g.shape[-1:], dtype=g.dtype)
    out = _product("BGRADA", rows.T, g, total)
    return out if out is NotImplemented else (out, total)


OVERRIDES: dict[str, Callable[..., Any]] = {"affine": affine, "dense_weights": dense_weights}


def _product(epilogue: str, left: Array, right: Array, vector: Array) -> Any:
    """`left @ right` with an epilogue, which reads or writes the vector; NotImplemented where cuBLASLt has none."""
    import cupy

    arrays = [left, right, vector]
    if any(a.dtype.char not in "ef" or a.dtype != left.dtype or not a.size for a in arrays):
        return NotImplemented
    if left.ndim != 2 or right.ndim != 2 or left.shape[1] != right.shape[0] or not products.has_bindings():
        return NotImplemented
    layouts = [products.layout(left), products.layout(right)]
    if None in layouts or not vector.flags.c_contiguous:
        return NotImplemented
    if any(a.data.ptr % ALIGNED for a in arrays):
        return NotImplemented
    from nvmath.bindings import cublasLt

    with left.device:
        handle, space = _handle(), products.workspace()
        key = (handle, epilogue, left.dtype.char, products.rounds_to_tf32(), *left.shape, right.shape[1], *layouts)
        plan = _planned(key, vector.data.ptr)
        if plan is None:
            return NotImplemented
        out = cupy.empty((left.shape[0], right.shape[1]), dtype=left.dtype)
        plan.describe("BIAS_POINTER", vector.data.ptr)
        one, zero = (scalar.ctypes.data for scalar in products.SCALARS[left.dtype.char])
        cublasLt.matmul(  # the addend's address is the result's: times 0, it is not read
            *(handle, plan.product, one, right.data.ptr, plan.first, left.data.ptr, plan.second),
            *(zero, out.data.ptr, plan.result, out.data.ptr, plan.result, plan.algorithm.ptr),
            *(space.ptr, products.WORKSPACE, cupy.cuda.get_current_stream().ptr),
        )
    return out


def _handle() -> Any:
    """This thread's handle of cuBLASLt for the current device."""
    import cupy
    from nvmath.bindings import cublasLt

    handles, device = _own.__dict__.setdefault("handles", {}), cupy.cuda.runtime.getDevice()
    if device not in handles:
        handles[device] = cublasLt.create()
    return handles[device]


def _planned(key: tuple[Any, ...], vector: int) -> Any:
    """The plan for a kind of product; None if cuBLASLt has no algorithm for it. The vector's address is an example."""
    from nvmath.bindings import cublasLt

    plans = _own.__dict__.setdefault("plans", OrderedDict())
    if key not in plans:
        try:
            plan = _Plan(vector, *key)
            plans[key] = plan if plan.found else None
        except cublasLt.cuBLASLtError:  # not supported
            plans[key] = None
    plans.move_to_end(key)
    while len(plans) > MOST:
        plans.popitem(last=False)
    return plans[key]


class _Plan:
    """What cuBLASLt has to know of a product, and the algorithm that it has chosen.

    cuBLASLt stores by columns: it computes the transpose, in which the right matrix comes first.

    Args:
        vector: Address of the epilogue's vector.
        handle: Handle of cuBLASLt.
        epilogue: Its name.
        char: Character of the dtype of all arrays.
        tf32: Whether float32 may be rounded to TensorFloat-32.
        rows: Rows of the left matrix.
        length: Columns of the left matrix, rows of the right.
        columns: Columns of the right matrix.
        left: See `products.layout`.
        right: Likewise, of the right matrix.
    """

    def __init__(
        self,
        vector: int,
        handle: Any,
        epilogue: str,
        char: str,
        tf32: bool,
        rows: int,
        length: int,
        columns: int,
        left: tuple[int, int],
        right: tuple[int, int],
    ) -> None:
        import cupy
        from nvmath.bindings import cublas, cublasLt

        compute, dtype = cublas.ComputeType, getattr(cupy.cuda.runtime, products.DTYPES[char])
        kind = compute.COMPUTE_32F_FAST_TF32 if tf32 and char == "f" else compute.COMPUTE_32F

        def matrix(rows: int, columns: int, layout: tuple[int, int]) -> Any:
            stored = (rows, columns) if layout[0] else (columns, rows)
            made = cublasLt.matrix_layout_create(dtype, *stored, layout[1])
            weakref.finalize(self, cublasLt.matrix_layout_destroy, made)
            return made

        self.product = cublasLt.matmul_desc_create(kind, cupy.cuda.runtime.CUDA_R_32F)
        weakref.finalize(self, cublasLt.matmul_desc_destroy, self.product)
        self.describe("TRANSA", right[0])
        self.describe("TRANSB", left[0])
        self.describe("EPILOGUE", getattr(cublasLt.Epilogue, epilogue))
        self.first, self.second = matrix(length, columns, right), matrix(rows, length, left)
        self.result = matrix(rows, columns, (0, columns))
        self.describe("BIAS_POINTER", vector)
        self.algorithm = cublasLt.MatmulHeuristicResult(1)
        self.found = self._choose(handle)

    def describe(self, name: str, value: Any) -> None:
        """Set an attribute of the product."""
        from nvmath.bindings import cublasLt

        attribute = getattr(cublasLt.MatmulDescAttribute, name)
        number = np.full(1, value, dtype=cublasLt.get_matmul_desc_attribute_dtype(attribute))
        cublasLt.matmul_desc_set_attribute(self.product, attribute, number.ctypes.data, number.nbytes)

    def _choose(self, handle: Any) -> bool:
        """Ask for an algorithm; whether there is one."""
        from nvmath.bindings import cublasLt

        preference, schemes, found = cublasLt.matmul_preference_create(), cublasLt.ReductionScheme, np.zeros(1, "int32")
        weakref.finalize(self, cublasLt.matmul_preference_destroy, preference)
        for name, value in (
            ("MAX_WORKSPACE_BYTES", products.WORKSPACE - MARGIN),
            ("REDUCTION_SCHEME_MASK", schemes.NONE | schemes.COMPUTE_TYPE),
            *((f"MIN_ALIGNMENT_{matrix}_BYTES", ALIGNED) for matrix in "ABCD"),
        ):
            attribute = getattr(cublasLt.MatmulPreferenceAttribute, name)
            number = np.full(1, value, dtype=cublasLt.get_matmul_preference_attribute_dtype(attribute))
            cublasLt.matmul_preference_set_attribute(preference, attribute, number.ctypes.data, number.nbytes)
        matrices = (self.first, self.second, self.result, self.result)
        cublasLt.matmul_algo_get_heuristic(
            handle, self.product, *matrices, preference, 1, self.algorithm.ptr, found.ctypes.data
        )
        return bool(found[0])
