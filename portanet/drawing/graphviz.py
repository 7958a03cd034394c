"""Drawing of graphs with Graphviz."""

from __future__ import annotations

from typing import Any

from portanet.extras import install_command


def drawing(dot: str, instead: str) -> Any:
    """A graph in the DOT language as a `graphviz.Source`.

    Args:
        dot: The source text.
        instead: Alternative without the package, for the error message.
    """
    try:
        import graphviz
    except ImportError:
        raise ImportError(
            f"Drawing needs the Python package graphviz (and Graphviz itself). Type: {install_command('plot')}; "
            f"{instead}"
        ) from None
    return graphviz.Source(dot)
