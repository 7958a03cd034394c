"""Programs: the calls of NumPy that an elementwise function makes, repeated for pieces of its arrays.

The function is called once with `Symbol`s, which note what is computed with them. A piece is then one call after the
other: threads hold the interpreter for a fraction of the time that the function itself would, and seldom wait for it.
What is computed on the way begins with a line of the cache: into other memory, as NumPy's own, many calls take twice as
long.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from portanet.backends.base import Array
from portanet.backends.forward import ForwardBackend
from portanet.backends.numpy import namespace
from portanet.backends.numpy.backend import NumpyBackend
from portanet.backends.numpy.memory import aligned

Call = tuple[Any, int, int | None, int]
"""A function of one or two arrays, the places of what it reads, and of its result."""
SLOW_IN_PLACE = frozenset((np.sign,))
"""Functions that take ten times as long in place of what they read."""


class UntraceableError(TypeError):
    """A function does more than a list of calls can repeat for pieces."""


class Symbol:
    """An array of any shape, of which only the dtype is known; in-place operators change it.

    Attributes:
        program: What notes the calls.
        cell: The number of its memory.
        dtype: Its dtype.
    """

    __slots__ = ("cell", "dtype", "program")
    __hash__ = None  # type: ignore[assignment]
    device = "cpu"

    def __init__(self, program: Program, cell: int, dtype: Any) -> None:
        self.program, self.cell, self.dtype = program, cell, dtype

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return namespace

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **options: Any) -> Symbol:
        if method != "__call__" or options or ufunc.nout != 1 or ufunc.nin > 2 or ufunc.signature is not None:
            raise UntraceableError(f"{ufunc} is not of one or two elements, or has options")
        return self.program.note(ufunc, inputs)

    def __pow__(self, other: Any) -> Symbol:
        kinds = (int, float) if self.dtype.kind in "fc" else (int,)  # a fraction makes floats of integers
        if type(other) not in kinds or other not in (0.5, 2):
            raise UntraceableError("NumPy chooses by the exponent")
        return self.program.note(np.square if other == 2 else np.sqrt, (self,))

    def _refuse(self, *args: Any, **options: Any) -> Any:
        raise UntraceableError("a symbol has neither values nor a shape")

    __array__ = __array_function__ = __bool__ = __float__ = __int__ = __index__ = __iter__ = __len__ = _refuse
    __getitem__ = __setitem__ = __reduce_ex__ = __ipow__ = _refuse


def _operator(name: str, ufunc: Any) -> None:
    def forward(self: Symbol, *others: Any) -> Symbol:
        return self.program.note(ufunc, (self, *others))

    def reflected(self: Symbol, other: Any) -> Symbol:
        return self.program.note(ufunc, (other, self))

    def in_place(self: Symbol, other: Any) -> Symbol:
        return self.program.note(ufunc, (self, other), self)

    setattr(Symbol, f"__{name}__", forward)
    if name not in ("lt", "le", "gt", "ge", "eq", "ne", "neg", "pos", "abs", "invert"):
        setattr(Symbol, f"__r{name}__", reflected)
        setattr(Symbol, f"__i{name}__", in_place)


OPERATORS: dict[str, Callable[..., Any]] = {
    "add": np.add, "sub": np.subtract, "mul": np.multiply, "truediv": np.true_divide, "floordiv": np.floor_divide,
    "mod": np.remainder, "matmul": np.matmul, "and": np.bitwise_and, "or": np.bitwise_or, "xor": np.bitwise_xor,
    "lshift": np.left_shift, "rshift": np.right_shift, "lt": np.less, "le": np.less_equal, "gt": np.greater,
    "ge": np.greater_equal, "eq": np.equal, "ne": np.not_equal, "neg": np.negative, "pos": np.positive,
    "abs": np.absolute, "invert": np.invert,
}  # fmt: skip
"""The functions behind NumPy's operators; `**` chooses by its operands."""
for _name, _ufunc in OPERATORS.items():
    if _name != "matmul":
        _operator(_name, _ufunc)


class Program:
    """The calls of an elementwise function.

    Args:
        function: The function.
        args: Its arguments; the arrays are all of one shape.

    Attributes:
        places: For each result, the place of the argument that it is, of those that are arrays; None if it is new.
        dtypes: Those of new results.
        several: Whether the results are a tuple.

    Raises:
        Exception: What the function raises on symbols: it has no program.
    """

    def __init__(self, function: Callable[..., Any], args: Sequence[Any]) -> None:
        self._notes: list[Call] = []
        self._numbers: list[Any] = []
        self._dtypes = [x.dtype for x in args if isinstance(x, np.ndarray)]
        count = len(self._dtypes)
        symbols = iter([Symbol(self, cell, dtype) for cell, dtype in enumerate(self._dtypes)])
        given = function(*(next(symbols) if isinstance(x, np.ndarray) else x for x in args))
        self.several = isinstance(given, tuple)
        results = given if isinstance(given, tuple) else (given,)
        if not all(type(x) is Symbol and x.program is self for x in results):
            raise UntraceableError("a result that is not computed from the arguments")
        self.places = [x.cell if x.cell < count else None for x in results]
        new = tuple(x.cell for x in results if x.cell >= count)
        if len({*new}) < len(new):
            raise UntraceableError("a result given twice")
        self.dtypes = [self._dtypes[cell] for cell in new]
        self._calls, self._between = _arranged(tuple(self._notes), tuple(self._dtypes), count, new)

    def note(self, ufunc: Any, inputs: Sequence[Any], into: Symbol | None = None) -> Symbol:
        """Note a call, whose result is new or replaces the values of a symbol."""
        cells, kinds = [], []
        for x in inputs:
            if type(x) is Symbol:
                if x.program is not self:
                    raise UntraceableError("a symbol of another program")
                cells.append(x.cell)
                kinds.append(x.dtype)
                continue
            kind = type(x)
            if kind is np.ndarray or isinstance(x, np.generic):
                if x.ndim:
                    raise UntraceableError("an array of another shape")
                kind = x.dtype
            elif kind not in (float, int, bool):
                raise UntraceableError(f"{x!r} is no operand")
            self._numbers.append(x)
            cells.append(-len(self._numbers))
            kinds.append(kind)
        if into is None:
            into = Symbol(self, len(self._dtypes), _dtype(ufunc, *kinds))
            self._dtypes.append(into.dtype)
        else:
            _require_written(ufunc, into.dtype, *kinds)
        self._notes.append((ufunc, cells[0], cells[1] if len(cells) > 1 else None, into.cell))
        return into

    def run(self, arrays: Sequence[Array], results: Sequence[Array]) -> None:
        """Compute a piece: parts of the arguments that are arrays, and of the new results."""
        between = [aligned(arrays[0].shape, dtype) for dtype in self._between]
        memory = [*arrays, *results, *between, *reversed(self._numbers)]
        for ufunc, first, second, out in self._calls:
            if second is None:
                ufunc(memory[first], out=memory[out])
            else:
                ufunc(memory[first], memory[second], out=memory[out])


def _samples(kinds: Sequence[Any]) -> list[Any]:
    return [np.ones(1, kind) if isinstance(kind, np.dtype) else kind(1) for kind in kinds]


@functools.lru_cache(maxsize=1024)
def _dtype(ufunc: Any, *kinds: Any) -> Any:
    """The dtype of a result, of arrays of dtypes and of Python's numbers of types."""
    with np.errstate(all="ignore"):
        return ufunc(*_samples(kinds)).dtype


@functools.lru_cache(maxsize=1024)
def _require_written(ufunc: Any, dtype: Any, *kinds: Any) -> None:
    """Require that a result can replace values of a dtype."""
    with np.errstate(all="ignore"):
        ufunc(*_samples(kinds), out=np.ones(1, dtype))


@functools.lru_cache(maxsize=256)
def _arranged(
    notes: tuple[Call, ...], dtypes: tuple[Any, ...], count: int, new: tuple[int, ...]
) -> tuple[list[Call], list[Any]]:
    """The calls with places of memory, and the dtypes of what is computed on the way.

    The places are of the arguments, the new results, and what is computed on the way, which is free after its last use;
    from the end, those of numbers.

    Args:
        notes: The calls with cells: of arguments, then of what is computed; negative ones are numbers.
        dtypes: By cell.
        count: The number of arguments.
        new: The cells that are results.
    """
    places = {cell: k for k, cell in enumerate([*range(count), *new])}
    last = {cell: i for i, (_, *cells) in enumerate(notes) for cell in cells}
    free: dict[Any, list[int]] = {dtype: [] for dtype in dtypes}
    fixed = len(places)
    calls: list[Call] = []
    between: list[Any] = []
    for i, (ufunc, first, second, out) in enumerate(notes):
        one = first if first < 0 else places[first]
        two = second if second is None or second < 0 else places[second]
        ending = [cell for cell in {first, second, out} if cell is not None and last.get(cell) == i]
        over = [cell for cell in ending if places.get(cell, 0) >= fixed]
        if ufunc not in SLOW_IN_PLACE:
            _give_back(over, places, dtypes, free)
            over = []
        if out not in places:
            spare = free[dtypes[out]]
            if not spare:
                spare.append(fixed + len(between))
                between.append(dtypes[out])
            places[out] = spare.pop()
        _give_back(over, places, dtypes, free)
        calls.append((ufunc, one, two, places[out]))
    return calls, between


def _give_back(cells: list[int], places: dict[int, int], dtypes: Sequence[Any], free: dict[Any, list[int]]) -> None:
    """Let the memory of cells be used again."""
    for cell in cells:
        free[dtypes[cell]].append(places[cell])


def _refused(*args: Any, **options: Any) -> Any:
    raise UntraceableError("a function that NumPy's backend computes in its own way")


class SymbolsBackend(ForwardBackend):
    """Symbols, for which functions with overrides have no program: but for those that save memory, as programs do."""

    name = "symbols"
    library = "numpy"
    overrides = dict.fromkeys(NumpyBackend.overrides.keys() - {"quotient"}, _refused)

    @classmethod
    def load(cls) -> Any:
        return namespace

    @classmethod
    def owns(cls, x: Any) -> bool:
        return isinstance(x, Symbol)
