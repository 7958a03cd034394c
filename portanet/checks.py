"""Checks of arguments: each returns the value as a plain Python one, or raises an error of one form.

NumPy scalars are accepted and converted to Python's: only Python scalars are combined with arrays. Booleans are not
numbers.
"""

from __future__ import annotations

import inspect
import operator
import os
from collections.abc import Callable, Iterable, Mapping
from numbers import Integral, Real
from typing import Any, Protocol, TypeVar, cast

import numpy as np

from portanet.settings import settings

T = TypeVar("T", str, str | None)


class Named(Protocol):
    """A layer, for error messages."""

    name: str


def invalid(name: str, value: Any, expected: str, of: str | type | Named = "") -> ValueError:
    """The error for an argument.

    Args:
        name: Name of the argument.
        value: The value received.
        expected: Description of valid values.
        of: The layer, class, or name of the function that takes it.

    Example:
        >>> invalid("x", 3, "a list", "tree_map")
        ValueError('Argument `x` of tree_map must be a list. Received: x=3')
    """
    return ValueError(f"{argument(name, of)} must be {expected}. Received: {name}={value!r}")


def argument(name: str, of: str | type | Named = "") -> str:
    """The beginning of a message about an argument.

    Example:
        >>> argument("x", "tree_map")
        'Argument `x` of tree_map'
    """
    owner = of if isinstance(of, str) else of.__name__ if isinstance(of, type) else f"layer '{of.name}'"
    return f"Argument `{name}`{owner and f' of {owner}'}"


_HELPERS = ("portanet.checks", "portanet.tree", "portanet.training.")
"""Modules whose functions a user does not call."""


def taken_as(value: Any) -> str:
    """The beginning of a message about a value that a function found deep inside: the argument of the outermost
    function of the library that was given this object.

    Example:
        >>> from portanet.activations import hard_silu
        >>> hard_silu([1.0])
        Traceback (most recent call last):
        TypeError: Argument `x` of hard_silu must be an array ... Received: [1.0] (of type builtins.list)
    """
    taken: tuple[str, str] | None = None
    frame = inspect.currentframe()
    while frame is not None:
        code, values = frame.f_code, frame.f_locals
        module = frame.f_globals.get("__name__", "")
        if module.startswith("portanet.") and not module.startswith(_HELPERS):
            count = code.co_argcount + code.co_kwonlyargcount
            named = code.co_varnames[:count]
            name = next((name for name in named if values.get(name) is value), None)
            if name is None and code.co_flags & inspect.CO_VARARGS:
                rest = code.co_varnames[count]
                name = rest if any(given is value for given in values.get(rest, ())) else None
            if name is not None and name != "self":
                special = "self" in named and code.co_name.startswith("__")
                taken = name, type(values["self"]).__name__ if special else code.co_name
        frame = frame.f_back
    return "Data" if taken is None else argument(*taken)


def integer(name: str, value: Any, of: str | type | Named = "", least: int | None = None) -> int:
    """An integer, of at least `least`.

    Example:
        >>> import numpy as np
        >>> integer("axis", np.int64(-1))
        -1
        >>> integer("seed", -1, least=0)
        Traceback (most recent call last):
        ValueError: Argument `seed` must be a non-negative integer. Received: seed=-1
    """
    if not _is_integer(value, least):
        raise invalid(name, value, _integer(least), of)
    return operator.index(value)


def positive_int(name: str, value: Any, of: str | type | Named = "") -> int:
    """An integer of at least 1."""
    return integer(name, value, of, least=1)


def integers(
    name: str, value: Any, count: int | None = None, of: str | type | Named = "", least: int | None = None
) -> tuple[int, ...]:
    """`count` integers, from a list or one for all; with `count=None`, a list of any length or a single one.

    An array of NumPy is a list, as the sizes of a window may be computed.

    Example:
        >>> integers("strides", 2, 3), integers("axis", [1, 2])
        ((2, 2, 2), (1, 2))
    """
    several = isinstance(value, (list, tuple, range)) or (isinstance(value, np.ndarray) and value.ndim == 1)
    values = tuple(value) if several else (value,) * (count or 1)
    if not values or count not in (None, len(values)) or not all(_is_integer(n, least) for n in values):
        more = "" if count == 1 else f", or {count or 'several'} of them"
        raise invalid(name, value, _integer(least) + more, of)
    return tuple(map(operator.index, values))


def one_or_several(name: str, value: Any, of: str | type | Named = "") -> int | tuple[int, ...]:
    """An integer, or a tuple of those in a list.

    Example:
        >>> one_or_several("axis", -1), one_or_several("axis", [1, 2])
        (-1, (1, 2))
    """
    several = integers(name, value, of=of)
    return several if isinstance(value, (list, tuple, range)) else several[0]


def pairs(name: str, value: Any, count: int, of: str | type | Named = "") -> tuple[tuple[int, int], ...]:
    """(before, after) for each of `count` axes, from an integer for all, or for each axis an integer or a pair.

    Example:
        >>> pairs("padding", 1, 2), pairs("padding", [0, (1, 2)], 2), pairs("padding", (1, 2), 1)
        (((1, 1), (1, 1)), ((0, 0), (1, 2)), ((1, 2),))
    """
    axes = tuple(value) if isinstance(value, (list, tuple)) else (value,) * count
    axes = (axes,) if count == 1 and len(axes) == 2 else axes
    result = [tuple(axis) if isinstance(axis, (list, tuple)) else (axis, axis) for axis in axes]
    if len(result) != count or not all(len(pair) == 2 and all(_is_integer(n, 0) for n in pair) for pair in result):
        expected = f"an integer, or for each of {count} axes an integer or a pair (before, after), none negative"
        raise invalid(name, value, expected, of)
    return tuple((operator.index(before), operator.index(after)) for before, after in result)


def axes(name: str, value: Any, ndim: int, of: str | type | Named = "") -> tuple[int, ...]:
    """An axis or several different ones; see `axis`.

    Example:
        >>> axes("axis", (0, -1), 2)
        (0, -1)
        >>> axes("axis", (1, -1), 2)
        Traceback (most recent call last):
        ValueError: Argument `axis` must be different axes. Received: axis=(1, -1)
    """
    values = tuple(value) if isinstance(value, (list, tuple)) and value else (value,)
    checked = tuple(axis(name, entry, ndim, of) for entry in values)
    if len({entry % ndim for entry in checked}) < len(checked):
        raise invalid(name, value, "different axes", of)
    return checked


def sizes(name: str, value: Any, of: str | type | Named = "", least: int = 0) -> tuple[int | None, ...]:
    """A shape: a list of integers of at least `least`, or None for those that may vary.

    Example:
        >>> sizes("shape", [None, 3])
        (None, 3)
        >>> sizes("shape", 3)
        Traceback (most recent call last):
        ValueError: Argument `shape` must be a tuple of sizes, such as (8, 3) or (None, 3). Received: shape=3
    """
    if not isinstance(value, (list, tuple)) or not all(n is None or _is_integer(n, least) for n in value):
        example = f"(8, 3) or (None, 3){', at least 1 each' if least else ''}"
        raise invalid(name, value, f"a tuple of sizes, such as {example}", of)
    return tuple(None if n is None else operator.index(n) for n in value)


def mapping(name: str, value: Any, of: str | type | Named = "") -> Mapping[Any, Any]:
    """A dict, or another mapping."""
    if not isinstance(value, Mapping):
        raise invalid(name, value, "a dict", of)
    return value


def boolean(name: str, value: Any, of: str | type | Named = "") -> bool:
    """A boolean; numbers and strings are none.

    Example:
        >>> boolean("use_bias", True)
        True
        >>> boolean("use_bias", "no")
        Traceback (most recent call last):
        ValueError: Argument `use_bias` must be True or False. Received: use_bias='no'
    """
    if not isinstance(value, (bool, np.bool_)):
        raise invalid(name, value, "True or False", of)
    return bool(value)


def number(name: str, value: Any, within: str = "(-inf, inf)", of: str | type | Named = "") -> float:
    """A number in an interval, in mathematical notation: `"[0, 1)"` contains 0 but not 1.

    Example:
        >>> number("momentum", 0, "[0, 1)")
        0.0
        >>> number("momentum", 1, "[0, 1)")
        Traceback (most recent call last):
        ValueError: Argument `momentum` must be a number in [0, 1). Received: momentum=1
    """
    if not _is_number(value, within):
        kinds = {"(-inf, inf)": "finite", "(0, inf)": "positive", "[0, inf)": "non-negative"}
        expected = f"a {kinds[within]} number" if within in kinds else f"a number in {within}"
        raise invalid(name, value, expected, of)
    return float(value)


def numbers(
    name: str, value: Any, within: str = "(-inf, inf)", of: str | type | Named = "", count: int | None = None
) -> list[float]:
    """A list of numbers in an interval, of any length or of `count`.

    Example:
        >>> numbers("thresholds", (0, 0.5), "[0, 1]")
        [0.0, 0.5]
    """
    if not isinstance(value, (list, tuple)) or count not in (None, len(value)):
        raise invalid(name, value, f"a list of {'' if count is None else f'{count} '}numbers", of)
    return [number(name, entry, within, of) for entry in value]


def positive(name: str, value: Any, of: str | type | Named = "") -> float:
    """A positive number."""
    return number(name, value, "(0, inf)", of)


def non_negative(name: str, value: Any, of: str | type | Named = "") -> float:
    """A number of at least 0."""
    return number(name, value, "[0, inf)", of)


def rate(name: str, value: Any, of: str | type | Named = "") -> float:
    """A fraction in [0, 1)."""
    return number(name, value, "[0, 1)", of)


def choice(name: str, value: Any, choices: Iterable[T], of: str | type | Named = "") -> T:
    """One of several names; None may be among them.

    Example:
        >>> choice("mode", "avg", ("min", "max"))
        Traceback (most recent call last):
        ValueError: Argument `mode` must be one of 'min', 'max'. Received: mode='avg'
    """
    known = list(choices)
    if not (value is None or isinstance(value, str)) or value not in known:
        raise invalid(name, value, f"one of {', '.join(map(repr, known))}", of)
    return known[known.index(value)]


def padding(value: Any, choices: Iterable[str], of: str | type | Named = "") -> str:
    """The name of a kind of padding, in lower case; see `choice`.

    Example:
        >>> padding("SAME", ("valid", "same"))
        'same'
    """
    return choice("padding", value.lower() if isinstance(value, str) else value, choices, of)


def verbose(value: Any, of: str | type | Named = "") -> int:
    """How much to print: 0, 1 or 2, or a boolean."""
    if not (isinstance(value, (bool, np.bool_)) or (_is_integer(value, 0) and value <= 2)):
        raise invalid("verbose", value, "0, 1 or 2", of)
    return int(value)


def data_format(value: Any, of: Named) -> str:
    """`"channels_last"` or `"channels_first"`; for None, the one set by `portanet.config`."""
    known = ("channels_last", "channels_first")
    return choice("data_format", settings.image_data_format if value is None else value, known, of)


def dense(name: str, value: Any, of: str | type | Named = "") -> bool:
    """False, the only value of Keras's arguments `sparse` and `ragged` here."""
    if boolean(name, value, of):
        raise invalid(name, value, "False: arrays are dense", of)
    return False


def text(name: str, value: Any, of: str | type | Named = "") -> str:
    """A non-empty string.

    Example:
        >>> text("monitor", ["loss"])
        Traceback (most recent call last):
        ValueError: Argument `monitor` must be a non-empty string. Received: monitor=['loss']
    """
    if not isinstance(value, str) or not value:
        raise invalid(name, value, "a non-empty string", of)
    return value


def texts(name: str, value: Any, of: str | type | Named = "") -> tuple[str, ...]:
    """Strings, from an iterable of them; a single string is none.

    Example:
        >>> texts("log", ["norm", "max"]), texts("log", ())
        (('norm', 'max'), ())
        >>> texts("log", "norm")
        Traceback (most recent call last):
        ValueError: Argument `log` must be a list of strings. Received: log='norm'
    """
    values = tuple(value) if isinstance(value, Iterable) and not isinstance(value, (str, Mapping)) else (value, None)
    if not all(isinstance(entry, str) for entry in values):
        raise invalid(name, value, "a list of strings", of)
    return values


def path(name: str, value: Any, of: str | type | Named = "") -> str:
    """A path: a non-empty string, or an object such as `pathlib.Path`.

    Example:
        >>> path("filename", "history.csv")
        'history.csv'
        >>> path("filename", 3)
        Traceback (most recent call last):
        ValueError: Argument `filename` must be a path: a string or a pathlib.Path. Received: filename=3
    """
    plain = os.fspath(value) if isinstance(value, (str, os.PathLike)) else None
    if not isinstance(plain, str) or not plain or "\0" in plain:
        raise invalid(name, value, "a path: a string or a pathlib.Path", of)
    return plain


def function(name: str, value: Any, of: str | type | Named = "") -> Callable[..., Any]:
    """A function, or another object that can be called; no class.

    Example:
        >>> function("f", "relu")
        Traceback (most recent call last):
        ValueError: Argument `f` must be a function. Received: f='relu'
    """
    if not callable(value) or isinstance(value, type):
        raise invalid(name, value, "a function", of)
    return cast(Callable[..., Any], value)


def axis(name: str, value: Any, ndim: int, of: str | type | Named = "") -> int:
    """An axis of an array with `ndim` axes, counted from the start, or from the end if negative.

    Example:
        >>> axis("axis", -1, 2)
        -1
        >>> axis("axis", 2, 2)
        Traceback (most recent call last):
        ValueError: Argument `axis` must be an integer from -2 to 1, for an array with 2 axes. Received: axis=2
    """
    if not _is_integer(value, -ndim) or value >= ndim:
        raise invalid(name, value, f"an integer from {-ndim} to {ndim - 1}, for an array with {ndim} axes", of)
    return operator.index(value)


def _is_integer(value: Any, least: int | None) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool) and (least is None or int(value) >= least)


def _integer(least: int | None) -> str:
    known = {None: "an integer", 0: "a non-negative integer", 1: "a positive integer"}
    return known.get(least, f"an integer of at least {least}")


def _is_number(value: Any, within: str) -> bool:
    if not isinstance(value, Real) or isinstance(value, bool):
        return False
    low, high = map(float, within[1:-1].split(","))
    x = float(value)
    return low < x < high or (x == low and within[0] == "[") or (x == high and within[-1] == "]")
