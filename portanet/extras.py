"""What to type to install the optional libraries."""

from __future__ import annotations

import pathlib


def install_command(extra: str) -> str:
    """The command that installs an extra of this installation of portanet.

    Where portanet is installed, pip takes its requirements from there and asks no package index for portanet itself.
    Else it runs from a clone, which the command then names.

    Example:
        >>> install_command("torch").endswith("[torch]'")
        True
    """
    import importlib.metadata  # slow, and rarely needed

    try:
        importlib.metadata.distribution("portanet")
    except importlib.metadata.PackageNotFoundError:
        return f"pip install -e '{pathlib.Path(__file__).parent.parent}[{extra}]'"
    return f"pip install 'portanet[{extra}]'"
