"""Kernels with a block of threads for each row: its sum and maximum, and what is computed with them, in one launch.

In their statements, `EACH(c)` is a loop over the columns, divided among the threads; `total` and `largest` are those of
the values of all threads, for all of them, in an order that depends on the number of columns alone. Every thread has to
come to them. `A` is the type in which elements are added.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from portanet.backends.base import Array

ACCUMULATED = {"float16": "float32", "float32": "float32", "float64": "float64"}
"""By dtype of arrays, the dtype in which they are added."""
_C_TYPES = {"float32": "float", "float64": "double"}

WARP = 32
MOST_THREADS = 512
PER_THREAD = 8
"""Columns that a thread has before a row gets more threads."""

_PREAMBLE = """
#define EACH(c) for (long long c = threadIdx.x; c < columns; c += blockDim.x)
template <typename V> __device__ V greater_of(V a, V b) { return b > a || b != b ? b : a; }
template <typename V> __device__ V sum_of(V a, V b) { return a + b; }
#define REDUCTION(name, combined) \\
template <typename V> __device__ V name(V v) { \\
    for (int d = 16; d > 0; d /= 2) v = combined(v, __shfl_xor_sync(0xffffffffu, v, d)); \\
    if (blockDim.x > 32) { \\
        __shared__ V parts[32]; \\
        const int warps = blockDim.x / 32; \\
        __syncthreads(); \\
        if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = v; \\
        __syncthreads(); \\
        v = parts[threadIdx.x % warps]; \\
        for (int d = warps / 2; d > 0; d /= 2) v = combined(v, __shfl_xor_sync(0xffffffffu, v, d)); \\
    } \\
    return v; \\
}
REDUCTION(total, sum_of)
REDUCTION(largest, greater_of)
"""


def threads(columns: int) -> int:
    """The number of threads for a row, a power of two."""
    count = WARP
    while count < MOST_THREADS and count * PER_THREAD < columns:
        count *= 2
    return count


def launch(definition: Callable[[str], Any], dtype: Any, rows: int, columns: int, *arrays: Any) -> None:
    """Compute rows by a kernel.

    Args:
        definition: Gives the kernel for the name of a dtype; see `row_kernel`.
        dtype: The dtype.
        rows: Number of rows.
        columns: Number of columns.
        arrays: Arguments of the kernel after the number of columns: contiguous arrays and numbers.
    """
    count = threads(columns)
    definition(dtype.name)(columns, *arrays, size=rows * count, block_size=count)


def row_kernel(name: str, inputs: str, outputs: str, statements: str) -> Callable[[str], Any]:
    """A kernel of rows for each dtype; see `typed_kernel`. The number of columns comes before the other parameters."""
    head = "const long long row = blockIdx.x, at = row * columns;\n"
    return typed_kernel(name, f"int64 columns, {inputs}", outputs, head + statements, _PREAMBLE)


def typed_kernel(name: str, inputs: str, outputs: str, statements: str, preamble: str = "") -> Callable[[str], Any]:
    """A kernel for each dtype: `T` is that of the arrays, `W` the one in which they are added.

    Args:
        name: Its name, which profilers show.
        inputs: Parameters that are read.
        outputs: Parameters that are written.
        statements: What is computed.
        preamble: What comes before the kernel.
    """

    @functools.cache
    def compiled(dtype: str) -> Any:
        import cupy

        wide = ACCUMULATED[dtype]

        def typed(parameters: str) -> str:
            words = {"T": dtype, "W": wide}
            return " ".join(words.get(word, word) for word in parameters.replace(",", " ,").split())

        narrow = "float16" if dtype == "float16" else "A"
        return cupy.ElementwiseKernel(
            typed(inputs),
            typed(outputs),
            f"typedef {narrow} T;\n{statements}",
            f"portanet_{name}_{dtype}",
            preamble=f"typedef {_C_TYPES[wide]} A;\n{preamble}",
        )

    return compiled


def contiguous(*arrays: Array) -> list[Array]:
    """The arrays, or copies without gaps."""
    import cupy

    return [cupy.ascontiguousarray(x) for x in arrays]
