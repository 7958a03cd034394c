"""Numbers and NumPy arrays taken out of traced arrays: their derivative is lost."""

from __future__ import annotations

import contextlib
import dis
import pathlib
import sys
import warnings
from collections.abc import Iterator
from contextvars import ContextVar
from types import FrameType
from typing import Any

ROOMS = tuple(str(pathlib.Path(__file__).parents[1] / name) for name in ("autodiff", "backends"))
_MODE: ContextVar[str] = ContextVar("conversion", default="warn")
_warned: set[tuple[str, int]] = set()
_filters: Any = None
REMEDY = (
    "Compute with functions of the namespace, such as xp.sin, or with portanet.autodiff.stop_gradient(x), the value "
    "alone; `with portanet.autodiff.allow_conversion():` permits it."
)

BUFFER = "Write into one made by {}'s namespace: `xp = x.__array_namespace__()`, then xp.zeros."


class TraceWarning(UserWarning):
    """A number was taken out of an array that depends on the inputs: the derivative does not go through it."""


@contextlib.contextmanager
def _mode(name: str) -> Iterator[None]:
    token = _MODE.set(name)
    try:
        yield
    finally:
        _MODE.reset(token)


def allow_conversion() -> contextlib.AbstractContextManager[None]:
    """Within this context, conversions of traced arrays give their values, as constants without derivative.

    These are `float`, `int` and `complex`, functions that call them (`math.sin`), conversion to NumPy, DLPack, and
    functions of other libraries (NumPy's ufuncs of `np.asarray(x)`): for p-values, logging and plots.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import allow_conversion, grad
        >>> def f(x):
        ...     with allow_conversion():
        ...         scale = float(np.max(np.asarray(x)))
        ...     return x[0] / scale
        >>> grad(f)(np.asarray([1.0, 2.0]))
        array([0.5, 0. ])
    """
    return _mode("allow")


def strict_conversion() -> contextlib.AbstractContextManager[None]:
    """Within this context, taking a number out of a traced array is an error; `bool`, printing and comparisons are not.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import grad, strict_conversion
        >>> with strict_conversion():
        ...     grad(lambda x: x * float(x))(np.asarray(2.0))
        Traceback (most recent call last):
        portanet.autodiff.traced.TraceError: float(x) would cut the derivative of this traced array ...
    """
    return _mode("refuse")


def allowed() -> bool:
    """Whether conversions give constants."""
    return _MODE.get() == "allow"


def refused() -> bool:
    """Whether numbers may not be taken out of traced arrays."""
    return _MODE.get() == "refuse"


def formatted(x: Any, value: Any, spec: str) -> str:
    """`format(x, spec)` for a traced array with this plain value."""
    if not spec:
        return str(x)
    if x.shape:
        return format(value, spec)
    xp = x.__array_namespace__()
    if xp.isdtype(x.dtype, "complex floating"):
        return format(complex(value), spec)
    return format(float(value) if xp.isdtype(x.dtype, "real floating") else int(value), spec)


def current_line() -> str:
    """The file and line that is being executed, outside of autodiff and of the backends, which convert arrays."""
    return line_of(outside(ROOMS, sys._getframe(1)))


def outside(folders: str | tuple[str, ...], frame: FrameType) -> FrameType:
    """The innermost caller whose file is in none of the folders."""
    while frame.f_code.co_filename.startswith(folders) and frame.f_back is not None:
        frame = frame.f_back
    return frame


def line_of(frame: FrameType) -> str:
    """The file and line that a frame executes."""
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def is_write(frame: FrameType) -> bool:
    """Whether a frame executes `plain[key] = x`, for which NumPy calls `float(x)` if x has no dimension."""
    return dis.opname[frame.f_code.co_code[frame.f_lasti]] == "STORE_SUBSCR"


def warn(what: str) -> None:
    """Warn once for each place outside this module's caller's caller, until the filters of warnings are exchanged."""
    global _filters
    if _filters is not warnings.filters:  # as in warnings.catch_warnings, and for each test of pytest
        _filters = warnings.filters
        _warned.clear()
    frame = sys._getframe(3)
    place = (frame.f_code.co_filename, frame.f_lineno)
    if place not in _warned:
        _warned.add(place)
        warnings.warn(f"{what} cuts the derivative: the number is a constant. {REMEDY}", TraceWarning, stacklevel=4)
