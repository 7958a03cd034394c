"""cuBLAS and cuBLASLt as nvmath-python calls them, on machines without a GPU: matrices are read by their addresses."""

from __future__ import annotations

import ctypes
import itertools
import types
from typing import Any

import numpy as np

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


class Lt:
    """cuBLASLt's product of matrices stored by columns, with an epilogue."""

    Epilogue = types.SimpleNamespace(BIAS=4, BGRADA=256)
    MatmulDescAttribute = types.SimpleNamespace(TRANSA=3, TRANSB=4, EPILOGUE=7, BIAS_POINTER=8)
    MatmulPreferenceAttribute = types.SimpleNamespace(
        MAX_WORKSPACE_BYTES=1, REDUCTION_SCHEME_MASK=3, MIN_ALIGNMENT_A_BYTES=5, MIN_ALIGNMENT_B_BYTES=6,
        MIN_ALIGNMENT_C_BYTES=7, MIN_ALIGNMENT_D_BYTES=8,
    )  # fmt: skip
    ReductionScheme = types.SimpleNamespace(NONE=0, COMPUTE_TYPE=2)

    class cuBLASLtError(Exception):  # noqa: N801 -- the library's name
        pass

    class MatmulHeuristicResult:  # the library's name
        def __init__(self, size: int) -> None:
            self.memory = np.zeros(96 * size, dtype="uint8")
            self.ptr = self.memory.ctypes.data

    def __init__(self) -> None:
        self.calls: list[tuple[int, int]] = []
        """Epilogue and kind of computation of each product."""
        self.kinds: set[str] = set()
        self.searches = 0
        self.refused: set[int] = set()
        """Epilogues for which there is no algorithm."""
        self.made: dict[int, dict[int, Any]] = {}
        """What there is of matrices, products and preferences: by attribute, its value."""
        self._numbers = itertools.count(100)

    def create(self) -> int:
        return 3

    def _make(self, **values: Any) -> int:
        number = next(self._numbers)
        self.made[number] = values
        return number

    def matrix_layout_create(self, dtype: int, rows: int, columns: int, distance: int) -> int:
        assert distance >= rows
        return self._make(dtype=dtype, rows=rows, columns=columns, distance=distance)

    def matmul_desc_create(self, kind: int, scale: int) -> int:
        assert scale == 0
        return self._make(kind=kind)

    def matmul_preference_create(self) -> int:
        return self._make()

    def _destroy(self, number: int) -> None:
        del self.made[number]

    matrix_layout_destroy = matmul_desc_destroy = matmul_preference_destroy = _destroy

    def get_matmul_desc_attribute_dtype(self, attribute: int) -> Any:
        return {3: np.int32, 4: np.int32, 7: np.uint32, 8: np.int64}[attribute]

    def get_matmul_preference_attribute_dtype(self, attribute: int) -> Any:
        return np.uint64 if attribute == 1 else np.uint32

    def matmul_desc_set_attribute(self, number: int, attribute: int, pointer: int, size: int) -> None:
        dtype = np.dtype(self.get_matmul_desc_attribute_dtype(attribute))
        assert size == dtype.itemsize
        self.made[number][attribute] = int(at_address(pointer, dtype, 1)[0])

    def matmul_preference_set_attribute(self, number: int, attribute: int, pointer: int, size: int) -> None:
        dtype = np.dtype(self.get_matmul_preference_attribute_dtype(attribute))
        assert size == dtype.itemsize
        self.made[number][attribute] = int(at_address(pointer, dtype, 1)[0])

    def matmul_algo_get_heuristic(self, handle, product, a, b, c, d, preference, wanted, results, count) -> None:
        self.searches += 1
        assert handle == 3
        assert self.made[preference] == {1: 32 * 2**20 - 16, 3: 2, **dict.fromkeys((5, 6, 7, 8), 16)}
        epilogue = self.made[product][7]
        if epilogue in self.refused and epilogue == self.Epilogue.BGRADA:
            raise self.cuBLASLtError
        at_address(count, np.dtype("int32"), 1)[0] = epilogue not in self.refused

    def matmul(self, handle, product, alpha, a, a_layout, b, b_layout, beta, c, c_layout, d, d_layout, algorithm,
               workspace, size, stream) -> None:  # fmt: skip
        assert (handle, c, c_layout, size, stream) == (3, d, d_layout, 32 * 2**20, 7)
        assert algorithm
        described, matrices = self.made[product], [self.made[each] for each in (a_layout, b_layout, d_layout)]
        self.calls.append((described[7], described["kind"]))
        dtype = np.dtype(KINDS[matrices[0]["dtype"]])
        self.kinds.add(dtype.name)
        assert [float(at_address(p, np.dtype("float32"), 1)[0]) for p in (alpha, beta)] == [1, 0]
        first, second, out = (
            np.lib.stride_tricks.as_strided(
                at_address(pointer, dtype, each["distance"] * (each["columns"] - 1) + each["rows"]),
                (each["rows"], each["columns"]),
                (dtype.itemsize, each["distance"] * dtype.itemsize),
            )
            for pointer, each in zip((a, b, d), matrices, strict=True)
        )
        first, second = (
            (x.T if turned else x).astype("float32") for x, turned in ((first, described[3]), (second, described[4]))
        )
        result = first @ second
        if described[7] == self.Epilogue.BIAS:
            result += at_address(described[8], dtype, len(result))[:, None]
        out[...] = result
        if described[7] == self.Epilogue.BGRADA:
            at_address(described[8], dtype, len(result))[...] = first.sum(axis=1)
