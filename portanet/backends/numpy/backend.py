"""NumPy: the reference backend, on every machine."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, cast

import numpy as np

from portanet.backends.base import Array, Backend, HostArray, Step
from portanet.backends.numpy import namespace
from portanet.backends.numpy.convolution import convolve, convolve_kernel
from portanet.backends.numpy.lstm import lstm
from portanet.backends.numpy.memory import keep_freed_memory
from portanet.backends.numpy.random import random_words
from portanet.backends.numpy.scan import scan
from portanet.backends.numpy.special import erfc_values, gelu
from portanet.backends.numpy.threads import map_chunks, map_elements, map_parts, single_threaded_blas, slices


def index_add(rows: Array, index: Array, size: int) -> Array:
    """Sum the rows that share an index: `out[index[k]] += rows[k]`; sorted, since `np.add.at` is 3 times slower.

    Rows that are alone are written as they are: `reduceat` takes 1 us for each group, however small.
    """
    out = np.zeros((size, *rows.shape[1:]), dtype=rows.dtype)
    if index.size:
        order = np.argsort(index, kind="stable")
        sorted_index = index[order]
        starts = np.flatnonzero(np.concatenate(([True], sorted_index[1:] != sorted_index[:-1])))
        counts = np.diff(starts, append=index.size)
        alone, several = starts[counts == 1], counts > 1
        out[sorted_index[alone]] = rows[order[alone]]
        if several.any():
            sizes = counts[several]
            members = rows[order[np.repeat(several, counts)]]
            out[sorted_index[starts[several]]] = np.add.reduceat(members, np.cumsum(sizes) - sizes, axis=0)
    return out


class NumpyBackend(Backend):
    """NumPy on the CPU."""

    name = "numpy"
    library = "numpy"
    install = "pip install numpy"
    overrides = {
        "index_add": index_add,
        "random_words": random_words,
        "scan": scan,
        "lstm": lstm,
        "erfc_values": erfc_values,
        "gelu": gelu,
        "convolve": convolve,
        "convolve_kernel": convolve_kernel,
    }

    @classmethod
    def load(cls) -> Any:
        keep_freed_memory()
        return namespace

    @classmethod
    def devices(cls) -> dict[str, Any]:
        return {"cpu": "cpu"}

    @classmethod
    def map_chunks(cls, function: Callable[..., Any], arrays: Sequence[Array], rows: int, total: bool = False) -> Any:
        return map_chunks(function, arrays, rows, total)

    @classmethod
    def map_elements(cls, function: Callable[..., Any], args: Sequence[Any]) -> Any:
        return map_elements(function, args)

    @classmethod
    def parts(cls, examples: int) -> list[slice]:
        # Two: each costs the interpreter's time for every op, and that is one thread's.
        return slices(examples, -(-examples // 2)) if examples >= 16 else [slice(0, examples)]

    @classmethod
    def map_parts(cls, function: Callable[[Any], Any], parts: Sequence[Any]) -> list[Any]:
        return map_parts(function, parts)

    def compile(self, step: Step, pieces: bool = False, given: tuple[int, ...] = ()) -> Step:
        """With pieces: the step with BLAS held to one thread, whose place ours take; see `products`."""
        if not pieces:
            return step

        @functools.wraps(step)
        def held(*args: Any) -> Any:
            with single_threaded_blas():
                return step(*args)

        return cast(Step, held)

    def find_dtype(self, name: str) -> Any:
        # The dtype itself, not the scalar type of the same name: it prints well and is what arrays have.
        return np.dtype(super().find_dtype(name))

    def from_host(self, x: HostArray) -> Array:
        return np.array(x)

    @classmethod
    def to_host(cls, x: Array) -> HostArray:
        return np.array(x)

    @classmethod
    def owns(cls, x: Any) -> bool:
        return isinstance(x, (np.ndarray, np.generic))
