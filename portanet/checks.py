"""Checks of arguments: each returns the value as a plain Python one, or raises an error of one form.

NumPy scalars are accepted and converted to Python's: only Python scalars are combined with arrays. Booleans are not
numbers.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable
from numbers import Integral, Real
from typing import Any, Protocol, TypeVar

import numpy as np

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
    owner = of if isinstance(of, str) else of.__name__ if isinstance(of, type) else f"layer '{of.name}'"
    return ValueError(f"Argument `{name}`{owner and f' of {owner}'} must be {expected}. Received: {name}={value!r}")


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

    Example:
        >>> integers("strides", 2, 3), integers("axis", [1, 2])
        ((2, 2, 2), (1, 2))
    """
    values = tuple(value) if isinstance(value, (list, tuple)) else (value,) * (count or 1)
    if not values or count not in (None, len(values)) or not all(_is_integer(n, least) for n in values):
        several = "" if count == 1 else f", or {count or 'several'} of them"
        raise invalid(name, value, _integer(least) + several, of)
    return tuple(map(operator.index, values))


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


def data_format(value: Any, of: Named) -> str:
    """`"channels_last"` (also for None) or `"channels_first"`."""
    return choice("data_format", value or "channels_last", ("channels_last", "channels_first"), of)


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
