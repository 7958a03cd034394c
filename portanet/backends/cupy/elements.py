"""Symbolic elements: a function of elements is called with them, and what it computes becomes the body of a kernel.

`Element`s follow the standard, as far as functions of single elements go, and write down the operations; they know no
values. What they cannot do raises `UntraceableError`.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from portanet.backends.forward import ForwardBackend

_C_TYPES = {
    "bool": "bool", "int8": "signed char", "int16": "short", "int32": "int", "int64": "long long",
    "uint8": "unsigned char", "uint16": "unsigned short", "uint32": "unsigned int", "uint64": "unsigned long long",
    "float16": "float", "float32": "float", "float64": "double",
}  # fmt: skip
"""By dtype: the type in which elements are computed; half precision is rounded when it is stored."""
TYPES = {np.dtype(name): (name, c_type) for name, c_type in _C_TYPES.items()}
"""By dtype, its name, which NumPy would take long to say, and the type."""
BOOL, HALF, SINGLE = np.dtype(bool), np.dtype("float16"), np.dtype("float32")

_INTO_FLOATS = (
    "acos acosh asin asinh atan atanh ceil cos cosh erf erfc exp expm1 floor log log10 log1p log2 sin sinh sqrt tan "
    "tanh trunc"
)
UNARY = {name: f"{name}({{0}})" for name in _INTO_FLOATS.split()} | {
    "abs": "fabs({0})",
    "negative": "-{0}",
    "positive": "{0}",
    "reciprocal": "1 / {0}",
    "round": "rint({0})",
    "square": "{0} * {0}",
    "sign": "{0} > 0 ? 1 : {0} < 0 ? -1 : {0} == 0 ? 0 : {0}",
}
"""Functions of one floating-point number, in C++."""
BINARY = {
    "add": "{0} + {1}",
    "subtract": "{0} - {1}",
    "multiply": "{0} * {1}",
    "divide": "{0} / {1}",
    "pow": "pow({0}, {1})",
    "atan2": "atan2({0}, {1})",
    "copysign": "copysign({0}, {1})",
    "hypot": "hypot({0}, {1})",
    # NaN if either is NaN, as in the standard
    "maximum": "{0} != {0} || {0} > {1} ? {0} : {1}",
    "minimum": "{0} != {0} || {0} < {1} ? {0} : {1}",
}
"""Functions of two numbers of one dtype."""
COMPARISONS = {
    "equal": "{0} == {1}",
    "not_equal": "{0} != {1}",
    "less": "{0} < {1}",
    "less_equal": "{0} <= {1}",
    "greater": "{0} > {1}",
    "greater_equal": "{0} >= {1}",
}
CHECKS = {"isfinite": "isfinite({0})", "isinf": "isinf({0})", "isnan": "{0} != {0}"}
LOGIC = {
    "logical_and": "{0} && {1}",
    "logical_or": "{0} || {1}",
    "logical_xor": "{0} != {1}",
    "bitwise_and": "{0} && {1}",
    "bitwise_or": "{0} || {1}",
    "bitwise_xor": "{0} != {1}",
}
"""Functions of two booleans."""
FLOAT_ONLY = {"divide", "pow", "atan2", "copysign", "hypot"}
FORWARDED = {"isdtype", "finfo", "iinfo", "pi", "e", "inf", "nan", "newaxis", *_C_TYPES}


class UntraceableError(AttributeError):
    """A function does something that elements alone do not tell."""


class Body:
    """The statements of a kernel, in the order in which the function computes.

    Args:
        shape: Shape of the arrays, which functions may ask for; None if it is not the same for all.
    """

    def __init__(self, shape: tuple[int, ...] | None) -> None:
        self.shape = shape
        self.statements: list[str] = []
        self.inputs: list[tuple[str, str, Any]] = []
        """Dtype and name of each parameter, and what it is: an array, or a number for all elements."""
        self._named: dict[int, Element] = {}

    def input(self, value: Any) -> Element:
        """The element of an array."""
        if id(value) not in self._named:
            self._named[id(value)] = self._parameter(value, value.dtype)
        return self._named[id(value)]

    def _parameter(self, value: Any, dtype: Any) -> Element:
        if dtype not in TYPES:
            raise UntraceableError(f"{dtype} is not computed in kernels")
        name = f"x{len(self.inputs)}"
        self.inputs.append((TYPES[dtype][0], name, value))
        return self.write(name, dtype)

    def write(self, expression: str, dtype: Any) -> Element:
        """A statement, whose result has this dtype."""
        name = f"v{len(self.statements)}"
        self.statements.append(f"const {TYPES[dtype][1]} {name} = {expression};")
        return Element(self, name, dtype)

    def lifted(self, value: Any, dtype: Any) -> Element:
        """An operand: an element, an array of shape (), or a number, which is of the other operand's dtype."""
        if isinstance(value, Element):
            return value
        kinds = {bool: "bifu", int: "ifu", float: "f"}.get(type(value))
        if kinds is not None and dtype.kind in kinds:
            # A parameter: the kernel is the same for all numbers.
            return self._parameter(value, SINGLE if dtype is HALF else dtype).of(dtype)
        if getattr(value, "shape", None) != () or isinstance(value, np.generic):
            raise UntraceableError(f"{value!r} is no operand of an element")
        return self.input(value)

    def together(self, *values: Any) -> tuple[list[str], Any]:
        """The names of operands, each in the dtype of all together, and this dtype."""
        dtypes = {value.dtype for value in values if hasattr(value, "dtype")}
        dtype = dtypes.pop() if len(dtypes) == 1 else np.result_type(*dtypes)
        return [self.lifted(value, dtype).of(dtype).name for value in values], dtype


class Element:
    """A number in a kernel; in-place operators change it, as they change an array."""

    __slots__ = ("body", "dtype", "name")
    __array_ufunc__ = None  # operators of arrays leave it to ours
    device = "element"

    def __init__(self, body: Body, name: str, dtype: Any) -> None:
        self.body, self.name, self.dtype = body, name, dtype

    def __array_namespace__(self, *, api_version: str | None = None) -> Any:
        return ELEMENTS

    @property
    def shape(self) -> tuple[int, ...]:
        if self.body.shape is None:
            raise UntraceableError("arrays of several shapes")
        return self.body.shape

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return math.prod(self.shape)

    def of(self, dtype: Any) -> Element:
        """The number in another dtype, or as another object of the same."""
        if dtype is self.dtype or dtype == self.dtype:
            return self
        dtype = np.dtype(dtype)
        if dtype not in TYPES:
            raise UntraceableError(f"{dtype} is not computed in kernels")
        name = f"({TYPES[dtype][1]}){self.name}"
        return self.body.write(f"(float)(float16){name}" if dtype == HALF else name, dtype)

    def _refuse(self, *args: Any) -> Any:
        raise UntraceableError("an element has no value yet")

    __bool__ = __float__ = __int__ = __index__ = __iter__ = __len__ = __getitem__ = _refuse

    def __setitem__(self, key: Any, value: Element) -> None:
        if key is not ...:
            self._refuse()
        self.name = value.of(self.dtype).name


def _function(name: str) -> Callable[..., Element]:
    def unary(x: Element, /) -> Element:
        if x.dtype.kind != "f" and name not in ("positive", "square"):
            if x.dtype.kind != "i" or name not in ("negative", "abs", "sign"):
                raise UntraceableError(f"{name} of {x.dtype}")
            pattern = "{0} < 0 ? -{0} : {0}" if name == "abs" else UNARY[name]
            return x.body.write(pattern.format(x.name), x.dtype)
        return x.body.write(UNARY[name].format(x.name), x.dtype)

    def check(x: Element, /) -> Element:
        if x.dtype.kind != "f":
            raise UntraceableError(f"{name} of {x.dtype}")
        return x.body.write(CHECKS[name].format(x.name), BOOL)

    def binary(x1: Any, x2: Any, /) -> Element:
        body = _body(x1, x2)
        if name == "pow" and type(x2) in (int, float) and x2 in (0.5, 2):
            return _call(x1, "square" if x2 == 2 else "sqrt")  # type: ignore[no-any-return]
        names, dtype = body.together(x1, x2)
        if dtype.kind == "b" or (name in FLOAT_ONLY and dtype.kind != "f"):
            raise UntraceableError(f"{name} of {dtype}")
        return body.write(BINARY[name].format(*names), dtype)

    def comparison(x1: Any, x2: Any, /) -> Element:
        body = _body(x1, x2)
        return body.write(COMPARISONS[name].format(*body.together(x1, x2)[0]), BOOL)

    def logic(x1: Any, x2: Any, /) -> Element:
        body = _body(x1, x2)
        names, dtype = body.together(x1, x2)
        if dtype != BOOL:
            raise UntraceableError(f"{name} of {dtype}")
        return body.write(LOGIC[name].format(*names), BOOL)

    kinds = ((UNARY, unary), (CHECKS, check), (BINARY, binary), (COMPARISONS, comparison), (LOGIC, logic))
    return next(function for table, function in kinds if name in table)


def _body(*values: Any) -> Body:
    return next(value.body for value in values if isinstance(value, Element))


class Elements:
    """The namespace of elements."""

    __name__ = "elements"

    def __getattr__(self, name: str) -> Any:
        if name in FORWARDED:
            from portanet.backends.cupy import namespace

            return getattr(namespace, name)
        raise UntraceableError(f"{name} is no function of elements")

    def result_type(self, *values: Any) -> Any:
        return np.result_type(*(getattr(value, "dtype", value) for value in values))

    def astype(self, x: Element, dtype: Any, /, *, copy: bool = True, device: Any = None) -> Element:
        return self.positive(x) if copy and x.dtype == dtype else x.of(dtype)

    def where(self, condition: Element, x1: Any, x2: Any, /) -> Element:
        body = _body(condition, x1, x2)
        (first, second), dtype = body.together(x1, x2)
        return body.write(f"{body.lifted(condition, BOOL).name} ? {first} : {second}", dtype)

    def clip(self, x: Element, /, min: Any = None, max: Any = None) -> Element:  # noqa: A002 -- the standard's names
        x = self.positive(x) if min is None else self.maximum(x, min)
        return x if max is None else self.minimum(x, max)

    def logical_not(self, x: Element, /) -> Element:
        if x.dtype != BOOL:
            raise UntraceableError(f"logical_not of {x.dtype}")
        return x.body.write(f"!{x.name}", BOOL)

    bitwise_invert = logical_not

    def full_like(self, x: Element, /, fill_value: Any, *, dtype: Any = None, device: Any = None) -> Element:
        dtype = x.dtype if dtype is None else np.dtype(dtype)
        out: Element = self.positive(x.body.lifted(fill_value, dtype).of(dtype))
        return out

    def zeros_like(self, x: Element, /, *, dtype: Any = None, device: Any = None) -> Element:
        return self.full_like(x, 0, dtype=dtype)

    def ones_like(self, x: Element, /, *, dtype: Any = None, device: Any = None) -> Element:
        return self.full_like(x, 1, dtype=dtype)


for _name in (*UNARY, *CHECKS, *BINARY, *COMPARISONS, *LOGIC):
    setattr(Elements, _name, staticmethod(_function(_name)))
ELEMENTS: Any = Elements()


def _call(element: Element, name: str, *others: Any) -> Any:
    return getattr(ELEMENTS, name)(element, *others)


def _operators(operator: str, name: str) -> None:
    function = getattr(Elements, name)

    def forward(self: Element, other: Any) -> Any:
        return function(self, other)

    def reflected(self: Element, other: Any) -> Any:
        return function(other, self)

    def in_place(self: Element, other: Any) -> Any:
        self.name = function(self, other).of(self.dtype).name
        return self

    setattr(Element, f"__{operator}__", forward)
    setattr(Element, f"__r{operator}__", reflected)
    setattr(Element, f"__i{operator}__", in_place)


for _operator, _name in (
    ("add", "add"), ("sub", "subtract"), ("mul", "multiply"), ("truediv", "divide"), ("pow", "pow"),
    ("and", "bitwise_and"), ("or", "bitwise_or"), ("xor", "bitwise_xor"),
):  # fmt: skip
    _operators(_operator, _name)
for _operator, _name in (
    ("lt", "less"), ("le", "less_equal"), ("gt", "greater"), ("ge", "greater_equal"), ("eq", "equal"),
    ("ne", "not_equal"), ("neg", "negative"), ("pos", "positive"), ("abs", "abs"), ("invert", "logical_not"),
):  # fmt: skip
    setattr(Element, f"__{_operator}__", functools.partialmethod(_call, _name))


class ElementsBackend(ForwardBackend):
    """Elements take their special functions from CUDA."""

    name = "elements"
    library = "cupy"
    overrides = {name: getattr(Elements, name) for name in ("erf", "erfc")}

    @classmethod
    def load(cls) -> Any:
        return ELEMENTS

    @classmethod
    def owns(cls, x: Any) -> bool:
        return isinstance(x, Element)
