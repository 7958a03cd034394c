"""Report on the backends of this machine."""

from __future__ import annotations

import os
import platform

import portanet
from portanet.backends import BACKENDS, Backend, BackendUnavailableError, backend_class

HEADINGS = ("backend", "version", "devices", "memory used / total")


def report() -> str:
    """Table of the backends with version, devices and memory, and the remedy for those that cannot be used.

    Memory is that of the backend's first device: main memory for CPU libraries.

    Example:
        >>> from portanet.info import report
        >>> report().splitlines()[2].split()[:3]
        ['backend', 'version', 'devices']
    """
    rows, missing = [HEADINGS], []
    for name in BACKENDS:
        row, reason = _row(backend_class(name))
        rows.append(row)
        if reason is not None:
            missing.append(f"{name} cannot be used: {reason}")
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    table = ["  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    machine = f"portanet {portanet.__version__}, Python {platform.python_version()}, {platform.platform(terse=True)}"
    return "\n".join(
        [f"{machine}, {os.cpu_count()} cores", "", *table, *([""] if missing else []), *missing, "", _choice()]
    )


def _row(cls: type[Backend]) -> tuple[tuple[str, str, str, str], str | None]:
    """One row of the table, and the reason if the backend cannot be used."""
    reason = cls.unavailable()
    try:
        if reason is None:
            backend = cls()
            row = (cls.name, cls.version(), ", ".join(cls.devices()), _gigabytes(backend.memory()))
            return row, None
    except (ImportError, OSError, RuntimeError) as error:  # installed, but broken
        reason = f"{cls.library} fails to start: {error}"
    return (cls.name, "-", "-", "-"), reason


def _gigabytes(memory: dict[str, int]) -> str:
    return f"{memory['used'] / 2**30:.1f} / {memory['total'] / 2**30:.1f} GiB" if memory else "-"


def wrong_choice() -> str | None:
    """What is wrong with the backend that is in use, as `PORTANET_BACKEND` names it; None if nothing is.

    Example:
        >>> from portanet.info import wrong_choice
        >>> wrong_choice() is None
        True
    """
    try:
        portanet.get_backend()
    except (ValueError, BackendUnavailableError) as error:
        return " ".join([str(error), *getattr(error, "__notes__", [])])
    return None


def _choice() -> str:
    remedy = "To choose another: portanet.set_backend(name), or the environment variable PORTANET_BACKEND."
    return wrong_choice() or f"In use: {portanet.get_backend()!r}. {remedy}"
