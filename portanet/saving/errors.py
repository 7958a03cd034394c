"""The error of files that cannot be loaded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class LoadError(ValueError):
    """A file is damaged, of another format, or does not match; the message names the file and the cause."""


def attempt(error: Callable[[str], LoadError], what: str, function: Callable[[], Any]) -> Any:
    """The result of a function; any exception becomes an error of the file."""
    try:
        return function()
    except LoadError:
        raise
    except Exception as cause:
        raise error(f"{what}: {str(cause)[:300]}") from cause
