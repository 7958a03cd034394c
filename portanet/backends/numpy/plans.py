"""Plans: the calls of NumPy that a pure function makes for arguments of known shapes, repeated with kept arrays.

A recording calls the function once with `RecordedArray`s. Every array that it computes is kept, and the plan computes
into it anew: views of kept arrays need no call at all, and most functions write their results in place (`out`). What
does not depend on arguments is computed once. The calls are those of the function, in order and with the same layouts,
and so are the bits of the results.
"""

from __future__ import annotations

import functools
import operator
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.numpy import namespace
from portanet.backends.numpy.memory import in_line
from portanet.backends.numpy.prepared import PREPARED
from portanet.backends.numpy.recorded import Memory, RecordedArray, UnrecordableError, here
from portanet.tree import tree_leaves, tree_map

LARGEST = 2**22
"""Bytes of the arrays of a plan; calls that need more gain nothing. So products are left to BLAS's threads."""
HEAVIEST = 2**25
"""Bytes of weights; with more, products take the time."""
MOST = 4096
"""Calls of a plan."""


class _Call:
    """A call of a recording.

    Attributes:
        run: The call, without arguments.
        reads: The memories of its arguments.
        writes: The memory of its result.
    """

    __slots__ = ("reads", "run", "writes")

    def __init__(self, run: Callable[[], Any], reads: list[Memory], writes: Memory) -> None:
        self.run, self.reads, self.writes = run, reads, writes


class Recording:
    """The calls of NumPy that a function makes."""

    def __init__(self) -> None:
        self.calls: list[_Call] = []
        self.nbytes = 0
        self.known: set[int] = set()
        """Identities of the memories of this recording."""

    def argument(self, raw: Array, source: str) -> RecordedArray:
        """The array of an argument, which the plan reads where it lies."""
        return RecordedArray(raw, self._memory(source, True))

    def _memory(self, source: str, varies: bool) -> Memory:
        memory = Memory(source, varies)
        self.known.add(id(memory))
        return memory

    def call(self, function: Any, args: tuple[Any, ...], options: Any = None, definition: Any = None) -> Any:
        """Compute, and record, a function of arrays.

        Args:
            function: The function.
            args: Its arguments, which may hold recorded arrays.
            options: Arguments by name.
            definition: What it overrides, if it does: other values may be left to that.
        """
        prepared = PREPARED.get(function) if definition else None
        if prepared is not None:
            out = prepared(self, *args, **(options or {}))
            if out is not NotImplemented:
                return out
        given = [leaf for leaf in tree_leaves((args, options)) if type(leaf) is RecordedArray]
        raw_args = tuple([_raw(a) for a in args])
        raw_options = {name: _raw(option) for name, option in options.items()} if options else {}
        reads = [self._of(x) for x in given]
        before = [x.raw.copy() for x in given] if definition else []
        results = function(*raw_args, **raw_options)
        if results is NotImplemented:
            return results
        if definition:
            function = functools.partial(_computed, function, definition)
        if any(x.raw.tobytes() != known.tobytes() for x, known in zip(given, before, strict=False)):
            raise UnrecordableError(f"{function!r} changes its arguments")
        if isinstance(results, (np.ndarray, np.generic)):
            return self._result(function, raw_args, raw_options, results, given, reads)
        leaves = [leaf for leaf in tree_leaves(results) if isinstance(leaf, (np.ndarray, np.generic))]
        if not leaves:  # a dtype or a shape
            return results
        return self._several(function, raw_args, raw_options, results, leaves, given, reads)

    def knows(self, x: RecordedArray) -> bool:
        """Whether an array is of this recording."""
        return id(x.memory) in self.known

    def _of(self, x: RecordedArray) -> Memory:
        if not self.knows(x):
            raise UnrecordableError("an array of another recording")
        return x.memory

    def _keep(self, result: Any, reads: list[Memory]) -> RecordedArray:
        """A computed array, which the plan keeps."""
        array = np.asarray(result)
        self.nbytes += array.nbytes
        if self.nbytes > LARGEST or len(self.calls) >= MOST:
            raise UnrecordableError("a plan would be too large")
        memory = self._memory("call", any(memory.varies for memory in reads))
        return RecordedArray(array, memory, isinstance(result, np.generic))

    def _view(self, result: Array, given: Sequence[RecordedArray]) -> RecordedArray | None:
        """The result as a view of an argument, if it is one; it needs no call."""
        if not isinstance(result, np.ndarray):
            return None
        source = next((x for x in given if np.may_share_memory(result, x.raw)), None)
        return None if source is None else RecordedArray(result, source.memory)

    def _result(
        self, function: Any, args: Any, options: Any, result: Any, given: list[RecordedArray], reads: list[Memory]
    ) -> RecordedArray:
        view = self._view(result, given)
        if view is not None:
            return view
        kept = self._keep(in_line(result) if isinstance(result, np.ndarray) else result, reads)
        self.calls.append(_Call(_into(kept.raw, function, args, options), reads, kept.memory))
        return kept

    def _several(
        self, function: Any, args: Any, options: Any, results: Any, leaves: list[Any], given: Any, reads: list[Memory]
    ) -> Any:
        """The results of a call that gives several arrays, which share a memory for the sake of simplicity."""
        views = [self._view(leaf, given) for leaf in leaves]
        if all(view is not None for view in views):
            arrays = iter(views)
        else:
            kept = [self._keep(leaf, reads) for leaf in leaves]
            for each in kept[1:]:
                each.memory = kept[0].memory
            targets = [each.raw for each in kept]

            def run() -> None:
                again = [x for x in tree_leaves(function(*args, **options)) if isinstance(x, (np.ndarray, np.generic))]
                for target, x in zip(targets, again, strict=True):
                    _copy(target, x)

            self.calls.append(_Call(run, reads, kept[0].memory))
            arrays = iter(kept)
        is_array = (np.ndarray, np.generic)
        return tree_map(lambda leaf: next(arrays) if isinstance(leaf, is_array) else leaf, results)

    def write(self, target: RecordedArray, function: Any, args: tuple[Any, ...]) -> RecordedArray:
        """Compute in place, in a recorded array."""
        memory = self._of(target)
        reads = [self._of(leaf) for leaf in tree_leaves(args) if type(leaf) is RecordedArray]
        if memory.source != "call":
            raise UnrecordableError("an argument is changed")
        raw = tuple([_raw(a) for a in args])
        if function is operator.setitem:
            run = functools.partial(function, *raw)
        elif isinstance(function, np.ufunc):
            run = functools.partial(function, *_operands(function, raw, target.raw), out=target.raw)
        else:
            raise UnrecordableError("an operator in place")
        run()
        memory.written = True
        memory.varies = memory.varies or any(each.varies for each in reads)
        self.calls.append(_Call(run, reads, memory))
        return target

    def step(self, run: Callable[[], Any], reads: Sequence[RecordedArray], result: Array) -> RecordedArray:
        """Run, and record, a call that writes to an array that the recording keeps from now on."""
        kept = self._keep(result, [self._of(x) for x in reads])
        run()
        self.calls.append(_Call(run, [x.memory for x in reads], kept.memory))
        return kept

    def finished(self, results: Sequence[RecordedArray]) -> list[Callable[[], Any]]:
        """The calls that have to be repeated for results: those whose own vary, or are in memory that is written again,
        and are of use.
        """
        used, calls = {id(result.memory) for result in results}, []
        for call in reversed(self.calls):
            varies = any(memory.varies or memory.written for memory in (*call.reads, call.writes))
            if varies and id(call.writes) in used:
                used.update(map(id, call.reads))
                calls.append(call.run)
        return calls[::-1]


class CallPlan:
    """A function of arrays, as a list of calls.

    Args:
        function: The function; it gets the inputs and the weights, and returns a tree of arrays.
        inputs: Arrays of the shapes and dtypes of all later calls.
        weights: Arrays that are read where they lie.

    Raises:
        UnrecordableError: It does more than a list of calls can repeat.
    """

    def __init__(
        self, function: Callable[[list[Any], list[Any]], Any], inputs: Sequence[Array], weights: Sequence[Array]
    ) -> None:
        outer, recording = here.recording, Recording()
        weighs = sum(w.nbytes for w in weights)
        if weighs > HEAVIEST:
            raise UnrecordableError("a plan would be too large")
        self.inputs = [np.array(x) for x in inputs]
        by_identity = {id(w): recording.argument(w, "weight") for w in weights}
        here.recording = recording
        try:
            out = function([recording.argument(x, "input") for x in self.inputs], [by_identity[id(w)] for w in weights])
        finally:
            here.recording = outer
        results = tree_leaves(out)
        for leaf in results:
            computed = type(leaf) is RecordedArray and recording.knows(leaf) and leaf.memory.source == "call"
            if not computed or leaf.number or not leaf.memory.varies:
                raise UnrecordableError("a result is no computed array")
        self.lock = threading.Lock()
        self.calls = recording.finished(results)
        self.nbytes = weighs + recording.nbytes + sum(x.nbytes for x in self.inputs)
        self._out = tree_map(lambda leaf: leaf.raw, out)
        self._kept = list({id(leaf.raw): leaf.raw for leaf in results}.values())
        places = {id(x): i for i, x in enumerate(self._kept)}
        self._places = [places[id(leaf.raw)] for leaf in results]
        flat = type(out) in (list, tuple) and all(type(each) is RecordedArray for each in out)
        self._kind = type(out) if flat else None

    def results(self) -> Any:
        """Copies of the latest results, which nothing overwrites."""
        copies = [x.copy("K") for x in self._kept]
        if self._kind is not None:
            return self._kind([copies[i] for i in self._places])
        if type(self._out) is np.ndarray:
            return copies[0]
        each = iter(self._places)
        return tree_map(lambda x: copies[next(each)], self._out)

    def run(self, inputs: Sequence[Array]) -> Any:
        """The results for inputs; NotImplemented where another thread is using the arrays of the plan."""
        if not self.lock.acquire(blocking=False):
            return NotImplemented
        try:
            for kept, x in zip(self.inputs, inputs, strict=True):
                kept[...] = x
            for call in self.calls:
                call()
            return self.results()
        finally:
            self.lock.release()


def _computed(override: Callable[..., Any], definition: Callable[..., Any], *args: Any, **options: Any) -> Any:
    results = override(*args, **options)
    return definition(*args, **options) if results is NotImplemented else results


def _raw(x: Any) -> Any:
    """An argument with plain arrays in place of recorded ones."""
    kind = type(x)
    if kind is RecordedArray:
        return x.raw
    if kind is list or kind is tuple:
        return kind(map(_raw, x))
    if kind is dict:
        return {key: _raw(value) for key, value in x.items()}
    return x


def _copy(target: Array, result: Any) -> None:
    """Copy a result into the array that is kept for it."""
    if target.shape != result.shape or target.dtype != result.dtype:
        raise UnrecordableError("the shape of a result depends on values")
    np.copyto(target, result)


_TAKE_FLOATS = frozenset((np.add, np.subtract, np.multiply, np.true_divide, np.maximum, np.minimum))


def _operands(ufunc: Any, args: Any, out: Array) -> Any:
    """Operands, with arrays in place of Python's floats, which NumPy would convert in every call."""
    alike = out.dtype.kind == "f" and all(getattr(x, "dtype", out.dtype) == out.dtype for x in args)
    if not alike or ufunc not in _TAKE_FLOATS:
        return args
    return [np.asarray(x, dtype=out.dtype) if type(x) is float else x for x in args]


def _into(out: Array, function: Any, args: Any, options: Any) -> Callable[[], Any]:
    """What computes the result of a call again, into an array that has it."""
    if isinstance(function, np.ufunc) and not options:
        return functools.partial(function, *_operands(function, args, out), out=out)
    direct = _DIRECT.get(function)
    run = None if direct is None else direct(out, *args, **options)
    return run or (lambda: _copy(out, function(*args, **options)))


# Functions that write to an array that they are given, by what makes such a call of their arguments, or None.


def _sum(out: Array, x: Array, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    if axis == -1 and dtype is None and x.size > namespace.FEW:
        return None
    return functools.partial(np.add.reduce, x, axis, dtype, out, keepdims)


def _max(out: Array, x: Array, axis: Any = None, keepdims: bool = False) -> Any:
    return functools.partial(np.maximum.reduce, x, axis, None, out, keepdims)


def _matmul(out: Array, x1: Array, x2: Array) -> Any:
    if x2.ndim < 3:
        return functools.partial(np.matmul, x1, x2, out)
    if x1.ndim != x2.ndim or x1.dtype != x2.dtype or x1.shape[-1] == 1:
        return None
    if x2.strides[-1] == x2.itemsize or x2.shape[-1] * x2.shape[-2] > namespace.COPIED:
        return functools.partial(np.matmul, x1, x2, out)
    copied = np.empty(x2.shape, x2.dtype)

    def run() -> None:
        np.copyto(copied, x2)
        np.matmul(x1, copied, out)

    return run


def _concat(out: Array, arrays: Any, axis: Any = 0) -> Any:
    if axis is None or any(x.dtype != out.dtype for x in arrays):
        return None
    return functools.partial(np.concatenate, arrays, axis, out)


def _stack(out: Array, arrays: Any, axis: int = 0) -> Any:
    return _concat(out, [np.expand_dims(x, axis) for x in arrays], axis)


def _pow(out: Array, x: Any, power: Any) -> Any:
    known = {2: np.square, 0.5: np.sqrt}.get(power) if type(power) in (int, float) else None
    return None if known is None or out.dtype.kind != "f" else functools.partial(known, x, out)


_DIRECT: dict[Any, Callable[..., Any]] = {
    namespace.sum: _sum,
    namespace.max: _max,
    namespace.matmul: _matmul,
    namespace.concat: _concat,  # type: ignore[attr-defined]
    namespace.stack: _stack,  # type: ignore[attr-defined]
    operator.pow: _pow,
}
