"""The verdict on a call with a bad argument."""

from __future__ import annotations

import dis
import pathlib
import re
from collections.abc import Callable
from types import TracebackType
from typing import Any

import portanet

LIBRARY = str(pathlib.Path(portanet.__file__).parent)


def verdict(call: Callable[..., Any], arguments: dict[str, Any], subjects: list[str]) -> str:
    """ "good", or what is wrong: "accepted", "foreign: ..." (an error from elsewhere) or "message: ...".

    A good error is raised by a statement of the library, names one of the subjects (the argument, its owner), and
    says what was received.
    """
    try:
        call(**arguments)
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        if isinstance(error, OSError) and error.filename is not None:  # the system's, about the user's file
            return "good"
        if not raised_by_library(error):
            return f"foreign: {text}"
        place = "\n".join([str(error), *getattr(error, "__notes__", [])])  # the layer's path
        named = any(re.search(rf"\b{subject}\b", place) for subject in subjects)
        return "good" if named and "Received: " in str(error) else f"message: {text}"
    return "accepted"


def raised_by_library(error: BaseException) -> bool:
    """Whether a `raise` in portanet raised it, rather than another library or an operation of Python."""
    frame: TracebackType | None = error.__traceback__
    assert frame is not None
    while frame.tb_next is not None:
        frame = frame.tb_next
    code = frame.tb_frame.f_code
    if not code.co_filename.startswith(LIBRARY):
        return False
    return dis.opname[code.co_code[frame.tb_lasti]] == "RAISE_VARARGS"
