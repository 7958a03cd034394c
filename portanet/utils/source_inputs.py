"""The inputs of a graph."""

from __future__ import annotations

from portanet import checks
from portanet.layers.symbolic import SymbolicArray, nodes_before
from portanet.tree import tree_leaves


def get_source_inputs(tensor: SymbolicArray) -> list[SymbolicArray]:
    """The symbolic inputs that a symbolic array is computed from, in the order in which they were created.

    Args:
        tensor: The symbolic array.

    Example:
        >>> from portanet import layers
        >>> words = layers.Input((4,), name="words")
        >>> get_source_inputs(layers.Dense(2)(words))[0].name
        'words'
    """
    if not isinstance(tensor, SymbolicArray):
        raise checks.invalid("tensor", tensor, "a symbolic array, of layers.Input(...) or a layer", "get_source_inputs")
    first = [node for node in nodes_before([tensor]) if not node.sources]
    return [array for node in first for array in tree_leaves(node.outputs)]
