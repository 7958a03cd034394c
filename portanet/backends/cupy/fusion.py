"""Functions of elements as one kernel: what `elementwise` declares is a single launch."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Sequence
from types import FunctionType
from typing import Any

from portanet.backends.base import Array
from portanet.backends.cupy.elements import TYPES, Body, Element, UntraceableError

MOST = 1000
"""Programs that are stored."""

_PLAIN = frozenset((type(None), bool, int, float, str))
_programs: dict[Any, Program] = {}


def map_elements(function: Callable[..., Any], args: Sequence[Any]) -> Any:
    """`function(*args)`, computed by one kernel; as it is, if it does anything that elements alone do not tell."""
    if hasattr(function, "definition"):  # CuPy may have its own
        return function(*args)
    key = _key(function, args)
    program = None if key is None else _programs.get(key)
    if program is None:
        try:
            program = Program(function, args, args[0].shape)
        except Exception:  # whatever elements cannot do; what is wrong otherwise, the function says itself
            return function(*args)
        if key is not None and program.depends_on_arguments_alone:
            if len(_programs) >= MOST:
                _programs.clear()
            _programs[key] = program
    result = program(args)
    return function(*args) if result is NotImplemented else result


def _key(function: Callable[..., Any], args: Sequence[Any]) -> Any:
    """What a program depends on; None if that is not known, or if an array comes twice."""
    if type(function) is not FunctionType:
        return None
    if not all(isinstance(cell.cell_contents, FunctionType) for cell in function.__closure__ or ()):
        return None
    key, arrays = [function, args[0].shape], set()
    for a in args:
        if hasattr(a, "dtype"):
            if id(a) in arrays:
                return None
            arrays.add(id(a))
            key.append(a.dtype)
        elif type(a) in _PLAIN:
            key.append(repr(a))  # which tells -0.0 from 0.0, and 1 from True
        else:
            return None
    return tuple(key)


class Program:
    """What a function computes of elements, and what it reads and writes, by the numbers of the arguments.

    Args:
        function: The function.
        args: Its arguments.
        shape: The shape of the arrays, which the function may ask for; None if it must not.
    """

    def __init__(self, function: Callable[..., Any], args: Sequence[Any], shape: tuple[int, ...] | None) -> None:
        body = Body(shape)
        # The same array twice is one element, which a write changes for both.
        elements = [body.input(a) if hasattr(a, "dtype") else a for a in args]
        before = [getattr(element, "name", None) for element in elements]
        result = function(*elements)
        self.single = not isinstance(result, tuple)
        results = (result,) if self.single else result
        if not all(isinstance(element, Element) for element in results):
            raise UntraceableError("a result is no element")
        number = {id(a): i for i, a in reversed([*enumerate(args)]) if hasattr(a, "dtype")}
        own = {id(elements[i]): i for i in number.values()}
        written = {i for i in number.values() if elements[i].name != before[i]}
        self.inputs: list[Any] = []
        """Numbers of the arguments, and values of other arrays and of numbers, in tuples."""
        self.written: list[int] = []
        self.made: list[Any] = []
        """Dtypes of the arrays that are made; they come after the arguments."""
        self.parameters: list[tuple[str, str]] = []
        """Dtype and name of each input."""
        self.outputs: list[tuple[str, str]] = []
        """Those of what is written, then of what is made."""
        stores = []
        for dtype, name, value in body.inputs:
            i = number.get(id(value))
            if i in written and i is not None:
                self.written.append(i)
                self.outputs.append((dtype, name))
                stores.append(f"{name} = {elements[i].name};")
            else:
                self.inputs.append((value,) if i is None else i)
                self.parameters.append((dtype, name))
        for element in results:
            if id(element) not in own:
                own[id(element)] = len(args) + len(self.made)
                self.outputs.append((TYPES[element.dtype][0], f"y{len(self.made)}"))
                stores.append(f"y{len(self.made)} = {element.name};")
                self.made.append(element.dtype)
        self.results = [own[id(element)] for element in results]
        self.statements = "\n".join([*body.statements, *stores])
        self.name = _name(function)
        others = (i[0] for i in self.inputs if type(i) is tuple)
        self.depends_on_arguments_alone = not any(hasattr(each, "dtype") for each in others)

    def __call__(self, args: Sequence[Any]) -> Any:
        """The results; NotImplemented if an argument that broadcasts is written to."""
        import cupy

        first: Array = args[0]
        if any(args[i].shape != first.shape for i in self.written):
            return NotImplemented
        with first.device:
            arrays = [*args, *(cupy.empty(first.shape, dtype=dtype) for dtype in self.made)]
            if self.outputs:
                inputs = (i[0] if type(i) is tuple else args[i] for i in self.inputs)
                self.launch(*inputs, *(args[i] for i in self.written), *arrays[len(args) :])
        return self.chosen(arrays)

    @functools.cached_property
    def launch(self) -> Any:
        """The kernel for one call."""
        return _compiled(_declared(self.parameters), _declared(self.outputs), self.statements, self.name)

    def chosen(self, arrays: Sequence[Array]) -> Any:
        """The results among the arguments and what was made."""
        return arrays[self.results[0]] if self.single else tuple(arrays[i] for i in self.results)


def _declared(parameters: list[tuple[str, str]]) -> str:
    return ", ".join(map(" ".join, parameters))


def _name(function: Callable[..., Any]) -> str:
    """A name for the kernel, which profilers show."""
    function = getattr(function, "func", function)
    return "portanet_" + re.sub(r"\W", "_", getattr(function, "__qualname__", "elements"))


@functools.cache
def _compiled(inputs: str, outputs: str, statements: str, name: str) -> Any:
    import cupy

    return cupy.ElementwiseKernel(inputs, outputs, statements, name)
