"""Elementwise functions of many tuples of arrays, such as an optimizer's step, in one launch."""

from __future__ import annotations

import contextlib
import functools
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.cupy import fusion
from portanet.backends.cupy.elements import TYPES

CHUNK = 2048
"""Elements of an array that one block of threads computes."""
THREADS = 256
TABLE = 3840
"""Bytes of the table of addresses. It is an argument of the kernel, so that it becomes a part of a recorded graph;
arguments may have 4096 bytes in all.
"""

_C_TYPES = dict(TYPES.values()) | {"float16": "float16"}
"""By the name of a dtype, the type of what is stored."""
_HALF = "#include <cupy/carray.cuh>\n#include <cupy/atomics.cuh>\n"
"""CuPy's headers, of which one or the other, by version, has its class `float16`."""


def map_each(function: Callable[..., Any], calls: Sequence[Sequence[Any]]) -> list[Any]:
    """`function(*args)` for the arguments of each call, by as few kernels as possible."""
    program = _traced(function, calls) if len(calls) > 1 else None
    if program is None:
        return [fusion.map_elements(function, args) for args in calls]
    whole = [all(args[i].flags.c_contiguous for i in program.written) for args in calls]
    together = iter(_launched(program, [args for args, fits in zip(calls, whole, strict=True) if fits]))
    return [
        next(together) if fits else fusion.map_elements(function, args) for args, fits in zip(calls, whole, strict=True)
    ]


def all_finite(*arrays: Array) -> Any:
    """As `portanet.optimizers.loss_scale.all_finite`: one kernel for the arrays of a dtype."""
    import cupy

    first = arrays[0]
    if any(x.dtype.kind != "f" or x.device != first.device for x in arrays):
        return NotImplemented
    by_dtype: dict[str, list[Array]] = {}
    with first.device:
        for x in arrays:
            if x.size:
                by_dtype.setdefault(x.dtype.name, []).append(cupy.ascontiguousarray(x))
        finite = cupy.ones((), dtype=bool)
        for dtype, those in by_dtype.items():
            most = TABLE // (8 + 12)
            body = f"const {TYPES[those[0].dtype][1]} x = ((const {_C_TYPES[dtype]}*)table.at[0][t])[i];\n"
            body += "if (!(x - x == 0)) *finite = false;"  # whichever threads write, they write the same
            name, arguments = f"portanet_all_finite_{dtype}", ["const Table table", "bool *finite"]
            launch = _compiled(_kernel(name, arguments, "", 1, most, body, dtype == "float16"), name)
            rows: list[tuple[int, ...]] = [(x.size, x.data.ptr) for x in those]
            for start in range(0, len(rows), most):
                table, blocks = _table(rows[start : start + most], most, 1)
                launch((blocks,), (THREADS,), (table, finite))
    return finite


def _traced(function: Callable[..., Any], calls: Sequence[Sequence[Any]]) -> fusion.Program | None:
    """What the function computes; None unless it is the same for all calls, and of arrays that fit together."""
    import cupy

    first = calls[0]
    for args in calls:
        if not all(type(a) is cupy.ndarray and a.shape == args[0].shape for a in args):
            return None
        if len({a.data.ptr for a in args}) < len(args) and args[0].size:  # a write would change several
            return None
        if [a.dtype for a in args] != [a.dtype for a in first]:
            return None
    try:
        program = fusion.Program(function, first, None)
    except Exception:  # whatever elements cannot do; what is wrong otherwise, the function says itself
        return None
    return program if program.outputs else None


def _launched(program: fusion.Program, calls: Sequence[Sequence[Array]]) -> list[Any]:
    """The results of each call; of many, so many at once as a table has room for."""
    import cupy

    read = [i for i in program.inputs if type(i) is not tuple]
    count = len(read) + len(program.outputs)
    most = TABLE // (8 * count + 12)
    values = [
        (i[0], dtype) for i, (dtype, _) in zip(program.inputs, program.parameters, strict=True) if type(i) is tuple
    ]
    scalars = [x if hasattr(x, "dtype") else np.dtype(dtype).type(x) for x, dtype in values]
    results: list[Any] = []
    with calls[0][0].device if calls else contextlib.nullcontext():
        launch = _compiled(_source(program, most), program.name)
        rows, kept = [], []
        for args in calls:
            arrays = [*args, *(cupy.empty(args[0].shape, dtype=dtype) for dtype in program.made)]
            results.append(program.chosen(arrays))
            inputs = [cupy.ascontiguousarray(args[i]) for i in read]
            kept.append(inputs)  # copies, until they are used
            if args[0].size:
                used = (*inputs, *(args[i] for i in program.written), *arrays[len(args) :])
                rows.append((args[0].size, *(x.data.ptr for x in used)))
        for start in range(0, len(rows), most):
            table, blocks = _table(rows[start : start + most], most, count)
            launch((blocks,), (THREADS,), (table, *scalars))
    return results


def _table(rows: list[tuple[int, ...]], most: int, count: int) -> tuple[Any, int]:
    """The structure that the kernel is given, and the number of blocks."""
    fields = [("at", "i8", (count, most)), ("size", "i8", (most,)), ("first", "i4", (most,)), ("count", "i4")]
    table = np.zeros(1, dtype=np.dtype(fields, align=True))
    sizes, *addresses = zip(*rows, strict=True)
    blocks = list(itertools.accumulate((-(-size // CHUNK) for size in sizes), initial=0))
    table["at"][0, :, : len(rows)] = addresses
    table["size"][0, : len(rows)] = sizes
    table["first"][0, : len(rows)] = blocks[:-1]
    table["count"] = len(rows)
    return table, blocks[-1]


def _source(program: fusion.Program, most: int) -> str:
    """The kernel; its blocks find the array that they compute a part of."""
    arguments, scalars = ["const Table table"], []
    elements: list[str] = []
    for i, (dtype, name) in zip(program.inputs, program.parameters, strict=True):
        c_type = _C_TYPES[dtype]
        if type(i) is not tuple:
            elements.append(f"const {c_type} {name} = ((const {c_type}*)table.at[{len(elements)}][t])[i];")
        elif hasattr(i[0], "dtype"):
            arguments.append(f"const {c_type} *at_{name}")
            scalars.append(f"const {c_type} {name} = *at_{name};")
        else:
            arguments.append(f"const {c_type} {name}")
    for dtype, name in program.outputs:
        c_type = _C_TYPES[dtype]
        elements.append(f"{c_type} &{name} = (({c_type}*)table.at[{len(elements)}][t])[i];")
    dtypes = {dtype for dtype, _ in (*program.parameters, *program.outputs)}
    body = "\n".join([*elements, program.statements])
    return _kernel(program.name, arguments, "\n".join(scalars), len(elements), most, body, "float16" in dtypes)


def _kernel(name: str, arguments: list[str], scalars: str, count: int, most: int, body: str, half: bool) -> str:
    """A kernel that computes `body` for each element i of each array t of a table, `count` arrays at a time."""
    return f"""{_HALF * half}
struct Table {{ long long at[{count}][{most}]; long long size[{most}]; int first[{most}]; int count; }};
extern "C" __global__ void {name}({", ".join(arguments)}) {{
    {scalars}
    int t = 0;
    for (int end = table.count; end - t > 1;) {{
        const int middle = (t + end) / 2;
        if (table.first[middle] <= (int)blockIdx.x) t = middle; else end = middle;
    }}
    const long long start = ((long long)blockIdx.x - table.first[t]) * {CHUNK};
    const long long end = start + {CHUNK} < table.size[t] ? start + {CHUNK} : table.size[t];
    for (long long i = start + threadIdx.x; i < end; i += blockDim.x) {{
        {body}
    }}
}}"""


@functools.cache
def _compiled(source: str, name: str) -> Any:
    import cupy

    return cupy.RawKernel(source, name)
