"""Kernels of CuPy on machines without a GPU: compiled as C++ for the processor.

Threads of a block take turns wherever they wait for each other, every other block in reverse order: a missing wait
shows.
"""

from __future__ import annotations

import ctypes
import functools
import pathlib
import shutil
import subprocess
import tempfile
from typing import Any

import numpy as np

C_TYPES = {
    "?": "bool", "b": "signed char", "B": "unsigned char", "h": "short", "H": "unsigned short", "i": "int",
    "I": "unsigned int", "l": "long long", "L": "unsigned long long", "e": "float16", "f": "float", "d": "double",
}  # fmt: skip
PREAMBLE = """
#include <cmath>
#include <cstddef>
using namespace std;
typedef _Float16 float16;
#define __device__
#define __global__
#define __shared__ static
struct Place { unsigned int x; };
static Place threadIdx, blockIdx, blockDim;
"""
FIBERS = """
#include <ucontext.h>
static ucontext_t scheduler, fibers[1024];
static bool ended[1024];
static char stacks[1024][1 << 15];
static void **all;
static void body(ptrdiff_t i);
static void start() {
    body((ptrdiff_t)blockIdx.x * blockDim.x + threadIdx.x);
    ended[threadIdx.x] = true;
}
static void __syncthreads() { swapcontext(&fibers[threadIdx.x], &scheduler); }
template <typename V> V __shfl_xor_sync(unsigned int mask, V v, int distance) {
    static V values[1024];
    values[threadIdx.x] = v;
    __syncthreads();
    const V other = values[threadIdx.x ^ distance];
    __syncthreads();
    return other;
}
"""
RUN = """
extern "C" void run(ptrdiff_t size, ptrdiff_t threads, void **arguments) {
    all = arguments;
    blockDim.x = threads;
    for (ptrdiff_t block = 0; block < size / threads; ++block) {
        blockIdx.x = block;
        for (ptrdiff_t k = 0; k < threads; ++k) {
            ended[k] = false;
            getcontext(&fibers[k]);
            fibers[k].uc_stack.ss_sp = stacks[k];
            fibers[k].uc_stack.ss_size = sizeof stacks[k];
            fibers[k].uc_link = &scheduler;
            makecontext(&fibers[k], start, 0);
        }
        for (bool going = true; going;) {
            going = false;
            for (ptrdiff_t k = 0; k < threads; ++k) {
                threadIdx.x = block % 2 ? threads - 1 - k : k;
                if (ended[threadIdx.x]) continue;
                swapcontext(&scheduler, &fibers[threadIdx.x]);
                going = going || !ended[threadIdx.x];
            }
        }
    }
}
"""


class ElementwiseKernel:
    """Compiled for the processor; counts its calls in `launches`."""

    launches = 0

    def __init__(self, inputs: str, outputs: str, operation: str, name: str, preamble: str = "") -> None:
        declared = [part.split() for part in f"{inputs}, {outputs}".split(",")]
        self.params = [(words[0] == "raw", words[-2], words[-1]) for words in declared]
        assert len({name for *_, name in self.params}) == len(self.params)
        assert "i" not in {name for *_, name in self.params}
        self.inputs = len(inputs.split(","))
        self.operation, self.name, self.preamble = operation, name, preamble

    def __call__(self, *args: Any, size: int = -1, block_size: int = 128) -> Any:
        type(self).launches += 1
        given = list(args)
        types_of: dict[str, Any] = {}
        for (_, kind, name), x in zip(self.params, given, strict=False):
            if isinstance(x, np.ndarray):
                dtype = np.dtype(kind) if len(kind) > 1 else types_of.setdefault(kind, x.dtype)
                assert x.dtype == dtype, f"{self.name}: {name} is of {x.dtype}, not {dtype}"
        dtypes = [np.dtype(kind) if len(kind) > 1 else types_of[kind] for _, kind, _ in self.params]
        arrays = [x for (raw, *_), x in zip(self.params, given, strict=False) if not raw and isinstance(x, np.ndarray)]
        assert (size < 0) == bool(arrays), "Specified 'size' can be used only if all of the ndarray are 'raw'"
        shape = (size,) if size >= 0 else np.broadcast_shapes(*(x.shape for x in arrays))
        made = len(given) < len(self.params)
        if made:
            kind = next(type(x) for x in given if isinstance(x, np.ndarray))
            given += [np.empty(shape, dtype).view(kind) for dtype in dtypes[len(given) :]]
        outputs = given[self.inputs :]
        of_elements = [x for (raw, *_), x in zip(self.params[self.inputs :], outputs, strict=True) if not raw]
        assert all(x.shape == shape for x in of_elements), "Out shape is mismatched"
        if 0 not in shape:
            in_blocks = "threadIdx" in self.preamble + self.operation
            self._run(given, dtypes, shape, block_size if in_blocks else 0)
        return outputs[0] if len(outputs) == 1 else tuple(outputs)

    def _run(self, given: list[Any], dtypes: list[Any], shape: tuple[int, ...], threads: int) -> None:
        held = [
            np.array(x, dtype=dtype, order="C").view(np.ndarray)
            for x, dtype in zip(map(plain, given), dtypes, strict=True)
        ]
        parts, head = [], []
        for k, ((raw, _, name), x, dtype) in enumerate(zip(self.params, held, dtypes, strict=True)):
            kind = C_TYPES[np.dtype(dtype).char]
            array = isinstance(given[k], np.ndarray)
            if raw:
                head.append(f"{kind} *{name} = ({kind}*)all[{k}];")
                continue
            held[k] = np.ascontiguousarray(np.broadcast_to(x, shape)) if array else x
            const = "const " if k < self.inputs else ""
            parts.append(f"{const}{kind} &{name} = (({kind}*)all[{k}])[{'i' if array else 0}];")
        aliases = {kind: dtype for (_, kind, _), dtype in zip(self.params, dtypes, strict=True) if len(kind) == 1}
        typedefs = [f"typedef {C_TYPES[np.dtype(dtype).char]} {kind};" for kind, dtype in aliases.items()]
        count = int(np.prod(shape))
        if threads:
            assert count % threads == 0
            lines = [
                PREAMBLE, FIBERS, *typedefs, self.preamble, "static void body(ptrdiff_t i) {", *head, *parts,
                self.operation, "}", RUN,
            ]  # fmt: skip
        else:
            lines = [
                PREAMBLE, *typedefs, self.preamble,
                'extern "C" void run(ptrdiff_t size, ptrdiff_t threads, void **all) {', *head,
                "for (ptrdiff_t i = 0; i < size; ++i) {", *parts, self.operation, "}}",
            ]  # fmt: skip
        pointers = (ctypes.c_void_p * len(held))(*(x.ctypes.data for x in held))
        compiled("\n".join(lines)).run(ctypes.c_ssize_t(count), ctypes.c_ssize_t(threads), pointers)
        for x, result in zip(given[self.inputs :], held[self.inputs :], strict=True):
            x[...] = result


class RawKernel:
    """As `ElementwiseKernel`, and counted with these: a function in C++ whose threads do not wait for each other."""

    def __init__(self, code: str, name: str) -> None:
        set_place = (
            'extern "C" void place(unsigned block, unsigned thread, unsigned threads) '
            "{ blockIdx.x = block; threadIdx.x = thread; blockDim.x = threads; }"
        )
        own = "\n".join(line for line in code.split("\n") if not line.startswith("#include <cupy/"))  # has float16
        assert "float16" not in own or own != code, "CuPy's headers have it"
        self.library = compiled("\n".join([PREAMBLE, set_place, own]))
        self.function = getattr(self.library, name)

    def __call__(self, grid: tuple[int], block: tuple[int], args: tuple[Any, ...]) -> None:
        ElementwiseKernel.launches += 1
        given = [self._argument(x) for x in args]
        for b in range(grid[0]):
            for t in range(block[0]):
                self.library.place(b, t, block[0])
                self.function(*given)

    def _argument(self, x: Any) -> Any:
        if type(x) is np.ndarray:  # by value
            assert x.size == 1, "Only numpy.ndarrays of size one can be passed by value"

            class Structure(ctypes.Structure):
                _fields_ = [("bytes", ctypes.c_byte * x.nbytes)]

            return Structure.from_buffer_copy(x)
        if isinstance(x, np.ndarray):
            return ctypes.c_void_p(x.ctypes.data)
        assert isinstance(x, np.generic), "CuPy makes a double of a float"
        return np.ctypeslib.as_ctypes_type(x.dtype)(x.item())


def plain(x: Any) -> Any:
    return x.view(np.ndarray) if isinstance(x, np.ndarray) else x


@functools.cache
def compiled(source: str) -> Any:
    folder = pathlib.Path(tempfile.mkdtemp())
    (folder / "kernel.cpp").write_text(source)
    command = ["g++", "-O0", "-w", "-shared", "-fPIC", "-ffp-contract=off", "-o", "kernel.so", "kernel.cpp"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, source + done.stderr
    library = ctypes.CDLL(str(folder / "kernel.so"))
    shutil.rmtree(folder)
    return library
