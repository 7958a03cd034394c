"""NumPy: the reference backend, on every machine."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Sequence
from typing import Any, cast

import numpy as np

from portanet.backends.base import Array, Backend, HostArray, Plan, Step
from portanet.backends.numpy import elements, linalg, namespace, recurrent_gru, recurrent_lstm, special, threads
from portanet.backends.numpy.attention import attention_in_blocks
from portanet.backends.numpy.convolution import convolve, convolve_input, convolve_kernel, convolve_weights
from portanet.backends.numpy.gelu import gelu_and_slope, gelu_value
from portanet.backends.numpy.maxima import to_maxima
from portanet.backends.numpy.memory import keep_freed_memory
from portanet.backends.numpy.random import random_words
from portanet.backends.numpy.scan import scan


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


def quotient(x: Array, y: Array) -> Any:
    """`x / y` in place of y."""
    alike = isinstance(y, np.ndarray) and x.shape == y.shape and x.dtype == y.dtype and y.dtype.kind == "f"
    return np.divide(x, y, out=y) if alike else NotImplemented


FEWEST = 8
"""Examples of a batch that is worth dividing."""
ENOUGH = 2**17
"""Numbers of a batch that a layer has to see, on average: with fewer, parts wait for the interpreter more than they
gain. Measured for transformers on two cores: half of it takes 1.2 of the time of the whole, twice 0.75.
"""


class NumpyBackend(Backend):
    """NumPy on the CPU."""

    name = "numpy"
    library = "numpy"
    shares_arrays = True
    half_precision = ("float16",)
    least_elements = 2 * elements.ELEMENTS
    attends_in_blocks = True
    overrides = {
        "index_add": index_add,
        "attention_in_blocks": attention_in_blocks,
        "random_words": random_words,
        "scan": scan,
        **recurrent_gru.OVERRIDES,
        **recurrent_lstm.OVERRIDES,
        **linalg.OVERRIDES,
        **special.OVERRIDES,
        "gelu_and_slope": gelu_and_slope,
        "gelu_value": gelu_value,
        "convolve": convolve,
        "convolve_input": convolve_input,
        "convolve_kernel": convolve_kernel,
        "convolve_weights": convolve_weights,
        "to_maxima": to_maxima,
        "quotient": quotient,
    }

    def __init__(self, device: Any = None, dtype: str = "float32") -> None:
        super().__init__(device, dtype)
        keep_freed_memory()

    @classmethod
    def load(cls) -> Any:
        return namespace

    @classmethod
    def devices(cls) -> dict[str, Any]:
        return {"cpu": "cpu"}

    @classmethod
    def map_elements(cls, function: Callable[..., Any], args: Sequence[Any]) -> Any:
        return elements.map_elements(function, args)

    @classmethod
    def map_each(cls, function: Callable[..., Any], calls: Sequence[Sequence[Any]]) -> list[Any]:
        return elements.map_each(function, calls)

    @classmethod
    def map_rows(
        cls, function: Callable[..., Any], arrays: Sequence[Array | None], size: int, total: bool = False
    ) -> Any:
        return threads.map_rows(function, arrays, size, total)

    @classmethod
    def parts(cls, examples: int, numbers: float) -> list[slice]:
        # Two: each costs the interpreter's time for every operation, and that is one thread's.
        divides = examples >= FEWEST and examples * numbers >= ENOUGH
        return threads.slices(examples, -(-examples // 2) if divides else examples)

    @classmethod
    def map_parts(cls, function: Callable[[Any], Any], parts: Sequence[Any]) -> list[Any]:
        return threads.map_pieces(function, parts)

    def compile(self, step: Step, given: tuple[int, ...] = (), kept: tuple[int, ...] = ()) -> Step:
        """The step; from when it first works in pieces, BLAS is held to one thread throughout; see `threads.Plan`."""
        plan = threads.Plan()

        @functools.wraps(step)
        def planned(*args: Any) -> Any:
            with plan:
                return step(*args)

        return cast(Step, planned)

    @classmethod
    def signature(cls, inputs: Sequence[Any]) -> Hashable | None:
        parts = []
        for x in inputs:
            if type(x) is not np.ndarray or not x.flags.c_contiguous:
                return None
            parts.append((x.shape, x.dtype))
        return tuple(parts)

    @classmethod
    def plan(
        cls,
        function: Callable[[list[Array], list[Array]], Any],
        inputs: Sequence[Array],
        weights: Sequence[Array],
    ) -> Plan | None:
        from portanet.backends.numpy.plans import CallPlan  # which import this module
        from portanet.backends.numpy.recorded import UnrecordableError

        try:
            return CallPlan(function, inputs, weights)
        except UnrecordableError:
            return None

    def find_dtype(self, name: str) -> Any:
        # The dtype itself, not the scalar type of the same name: it prints well and is what arrays have.
        return np.dtype(super().find_dtype(name))

    def from_host(self, x: HostArray) -> Array:
        return np.array(x)

    @classmethod
    def to_host(cls, x: Array) -> HostArray:
        return np.array(x)

    @classmethod
    def view_on_host(cls, x: Array) -> HostArray:
        return np.asarray(x)

    def adopt(self, x: HostArray) -> Array:
        return x

    @classmethod
    def owns(cls, x: Any) -> bool:
        return isinstance(x, (np.ndarray, np.generic))
