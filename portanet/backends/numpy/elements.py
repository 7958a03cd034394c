"""Elementwise work: small arrays as one, large ones in pieces on all available cores."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.numpy.threads import Joined, in_a_piece, in_a_step_of_products, run_pieces

if TYPE_CHECKING:
    from portanet.backends.numpy.programs import Program

ELEMENTS = 2**17
"""Least number of elements of a piece, which has at most twice as many: with fewer, threads wait for each other, since
each call takes the interpreter; more do not stay in a core's cache.
"""
LONG = 2**22
"""Least number of elements of an update on all cores, if products came before: BLAS's threads look out for the next one
for a while, and take half a core from ours.
"""
OF_UPDATES = 2
"""How many times as large the pieces of an update are, which no work follows: it has many calls, between which threads
may wait for the interpreter, and that takes longer than to read from the next cache.
"""
LINE = 16
"""Pieces of consecutive elements begin with a multiple of this, and so with a line of the cache if the whole does."""
SMALL = 2**9
"""Arrays of no more elements are computed as one: to copy them takes less time than NumPy's calls for each."""
SEVERAL = 8
"""Least number of them: to put fewer together, and to take the results apart, takes longer."""


def map_elements(function: Callable[..., Any], args: Sequence[Any]) -> Any:
    """`Backend.map_elements` for NumPy: in pieces along the first axis."""
    return _in_pieces(function, [args])[0]


def map_each(function: Callable[..., Any], calls: Sequence[Sequence[Any]]) -> list[Any]:
    """`Backend.map_each` for NumPy."""
    if len(calls) < SEVERAL:
        return _in_pieces(function, calls, at_end=True)
    kinds: dict[Any, list[int]] = {}
    for i, args in enumerate(calls):
        kinds.setdefault(_kind(args) or i, []).append(i)
    groups: list[list[int]] = []
    for group in kinds.values():
        groups += [group] if len(group) >= SEVERAL else [[i] for i in group]
    several = {group[0]: _Together([calls[i] for i in group]) for group in groups if len(group) > 1}
    given = _in_pieces(function, [several[i].args if i in several else calls[i] for i, *_ in groups], at_end=True)
    results: list[Any] = [None] * len(calls)
    for group, result in zip(groups, given, strict=True):
        each = several[group[0]].apart(result) if group[0] in several else [result]
        for i, one in zip(group, each, strict=True):
            results[i] = one
    return results


def _kind(args: Sequence[Any]) -> Any:
    """What small calls have in common that can be computed as one; None for others."""
    first = args[0]
    if first.size > SMALL or len({id(x) for x in args}) < len(args):  # a change of an array would be one of several
        return None
    if not all(isinstance(x, np.ndarray) and x.shape == first.shape for x in args):
        return None
    return tuple(x.dtype for x in args)


class _Together:
    """Several calls of an elementwise function as one.

    Args:
        calls: The arguments of each: arrays of one shape.
    """

    def __init__(self, calls: Sequence[Sequence[Array]]) -> None:
        self._calls = calls
        self.args = [np.concatenate(each, axis=None) for each in zip(*calls, strict=True)]

    def apart(self, given: Any) -> list[Any]:
        """The results of each call, from those of all; an argument changed in place is changed in the call, too."""
        if not isinstance(given, tuple):
            return [result for (result,) in self.apart((given,))]
        return list(zip(*(self._each(result) for result in given), strict=True))

    def _each(self, result: Array) -> Iterator[Array]:
        changed = next((k for k, x in enumerate(self.args) if x is result), None)
        end = 0
        for args in self._calls:
            start, end = end, end + args[0].size
            part = result[start:end].reshape(args[0].shape)
            if changed is not None:
                args[changed][...] = part
                part = args[changed]
            yield part


def _in_pieces(function: Callable[..., Any], calls: Sequence[Sequence[Any]], at_end: bool = False) -> list[Any]:
    """The results of calls, in an even number of pieces of about equal size, whatever arrays they are of.

    Args:
        function: The function.
        calls: The arguments of each call.
        at_end: Whether this is the last work of a step: no product follows that BLAS's threads wait for.
    """
    ends = list(itertools.accumulate(args[0].size for args in calls))
    total = ends[-1] if ends else 0
    count = 2 * (total // (2 * ELEMENTS))
    # In a piece and between products, the cores are others', but not their caches.
    alone = in_a_piece() or (in_a_step_of_products() and not (at_end and total >= LONG))
    if at_end and count and not alone:
        count = max(2, 2 * (total // (2 * OF_UPDATES * ELEMENTS)))
    if not count:
        return [function(*args) for args in calls]
    results: list[Any] = [None] * len(calls)
    divided: dict[int, _Divided] = {}
    programs: dict[Any, Program | None] = {}
    pieces: list[list[tuple[int, slice | None]]] = [[] for _ in range(count)]
    limits = [-(-total * k // count) for k in range(count + 1)]
    for i, (args, end) in enumerate(zip(calls, ends, strict=True)):
        start = end - args[0].size
        first, last = min(start * count // total, count - 1), max(start, end - 1) * count // total
        each = None if end - start <= ELEMENTS // 4 else _Divided(function, args, programs)
        if each is None or (first == last and each.program is None):
            pieces[first].append((i, None))
            continue
        divided[i] = each
        for k in range(first, last + 1):
            pieces[k].append((i, each.part(max(limits[k], start) - start, min(limits[k + 1], end) - start)))

    def compute(k: int) -> None:
        for i, part in pieces[k]:
            if part is None:
                results[i] = function(*calls[i])
            else:
                divided[i].compute(part)

    if alone:
        for k in range(count):
            compute(k)
    else:
        run_pieces(compute, count, at_end)
    for i, each in divided.items():
        results[i] = each.results()
    return results


class _Divided(Joined):
    """A call with a large array, divided along its first axis; along all at once where its arrays lie alike: then by
    the program of the function, if it has one.

    Args:
        function: The function.
        args: The arguments of the call.
        programs: The function's programs by the kinds of its arguments, to which this call's may be added.
    """

    def __init__(self, function: Callable[..., Any], args: Sequence[Any], programs: dict[Any, Program | None]) -> None:
        arrays = [x for x in args if isinstance(x, np.ndarray)]
        self._given = args
        self._shape = shape = args[0].shape
        self._flat = all(x.shape == shape and x.flags.c_contiguous for x in arrays)
        self.program = _program(function, args, programs) if self._flat else None
        if self._flat:
            args = [x.reshape(-1) if isinstance(x, np.ndarray) else x for x in args]
        self._size, count, axes = args[0].size, args[0].shape[0], args[0].ndim
        divided = [isinstance(x, np.ndarray) and x.ndim == axes and x.shape[0] == count for x in args]
        super().__init__(function, args, divided, count)
        if self.program is not None:
            self._arrays = [x for x in args if isinstance(x, np.ndarray)]
            self._new = [np.empty(shape, dtype).reshape(-1) for dtype in self.program.dtypes]

    def part(self, start: int, stop: int) -> slice:
        """The part along the first axis with about these elements; parts of consecutive elements are consecutive."""
        if self._flat:
            return slice(start - start % LINE, stop if stop == self._size else stop - stop % LINE)
        return slice(start * self._count // self._size, stop * self._count // self._size)

    def compute(self, part: slice) -> None:
        if self.program is None:
            return super().compute(part)
        return self.program.run([x[part] for x in self._arrays], [x[part] for x in self._new])

    def results(self) -> Any:
        if self.program is None:
            results = super().results()
        else:
            new = iter(self._new)
            whole = tuple(next(new) if k is None else self._arrays[k] for k in self.program.places)
            results = whole if self.program.several else whole[0]
        if not self._flat:
            return results
        return tuple(map(self._shaped, results)) if isinstance(results, tuple) else self._shaped(results)

    def _shaped(self, result: Array) -> Array:
        """A result in its shape; an argument that was changed in place is itself again."""
        same = next((given for given, x in zip(self._given, self._args, strict=True) if x is result), None)
        return result.reshape(self._shape) if same is None else same


def _program(function: Callable[..., Any], args: Sequence[Any], programs: dict[Any, Program | None]) -> Program | None:
    """The program of a function for arrays of these dtypes; None if it does what a program cannot."""
    kinds = tuple(x.dtype if isinstance(x, np.ndarray) else id(x) for x in args)
    if kinds not in programs:
        from portanet.backends.numpy.programs import Program  # which imports this module

        try:
            programs[kinds] = Program(function, args)
        except Exception:  # whatever it raises on symbols, it may do for arrays
            programs[kinds] = None
    return programs[kinds]
