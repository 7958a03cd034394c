"""Where in a user's code an error arose, and the warning that a step runs as ordinary Python because of it."""

from __future__ import annotations

import pathlib
import sys
import traceback
import warnings
from collections.abc import Iterator
from typing import Any

_PACKAGE = str(pathlib.Path(__file__).parents[1])


def warn_of(error: Exception, warned: set[str], how: str) -> None:
    """Warn that a step is not recorded or compiled, unless a warning has named the place before.

    Args:
        error: What kept it from being.
        warned: The places that warnings have named.
        how: `"recorded"` or `"compiled"`.
    """
    layer, line = place_of(error)
    if line in warned:
        return
    warned.add(line)
    message = str(error).strip().partition("\n")[0].rstrip(".") or "no message"
    warnings.warn(
        f"A step cannot be {how}, and runs as ordinary Python, with the same results but slower. {layer}, {line} "
        f"raised {type(error).__name__}: {message}. A {how} step computes with arrays alone: it neither looks at "
        "values (xp.where does what `if` would) nor moves data between host and device. compile(..., "
        "jit_compile=False) ends this warning.",
        stacklevel=3,
    )


def place_of(error: BaseException) -> tuple[str, str]:
    """Where an error arose, for a user: the layer, and the last line that is neither Portanet's nor a library's."""
    frames = traceback.extract_tb(error.__traceback__)
    folders = [_PACKAGE, *(str(pathlib.Path(module.__file__).parent) for module in _libraries())]

    def outside(number: int) -> list[traceback.FrameSummary]:
        return [frame for frame in frames if not frame.filename.startswith(tuple(folders[number:]))]

    frame = (outside(0) or outside(1) or frames)[-1]
    layer = next((note for note in getattr(error, "__notes__", ()) if note.startswith("In layer ")), "In the step")
    return layer, f"{frame.filename}, line {frame.lineno}, `{frame.line}`"


def _libraries() -> Iterator[Any]:
    from portanet.backends.registry import BACKENDS, backend_class

    for name in (*(backend_class(name).library for name in BACKENDS), "array_api_compat", "array_api_extra"):
        module = sys.modules.get(name)
        if getattr(module, "__file__", None):
            yield module
