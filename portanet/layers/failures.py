"""Errors that say in which layer they happened."""

from __future__ import annotations

from typing import Any

from portanet.tree import tree_leaves


def locate(error: Exception, layer: Any, x: Any) -> None:
    """Note in an error, on its way out, the path of the layer where it happened and what that layer was given."""
    notes, start = getattr(error, "__notes__", []), "In layer '"
    if notes and notes[0].startswith(start):
        notes[0] = notes[0].replace(start, f"{start}{layer.name}/", 1)
    else:
        error.add_note(f"{start}{layer.name}' ({type(layer).__name__}), given {_brief(x)}")


def _brief(x: Any) -> str:
    """Shapes and dtypes in words."""
    leaves = [leaf for leaf in tree_leaves(x) if hasattr(leaf, "shape")]
    return ", ".join(f"{str(leaf.dtype).rpartition('.')[2]} {tuple(leaf.shape)}" for leaf in leaves) or type(x).__name__
