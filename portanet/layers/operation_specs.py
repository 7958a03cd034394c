"""Outputs of functions of `portanet.ops` that a call on zeros cannot tell, or not in reasonable time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from portanet.layers.output_shapes import ArraySpec
from portanet.layers.symbolic import SymbolicArray
from portanet.tree import tree_leaves

Arguments = dict[str, Any]


def _loop_once(given: Arguments) -> Arguments:
    return {**given, "maximum_iterations": 1}


def _index_once(given: Arguments) -> Arguments:
    lower = given["lower"]
    return {**given, "upper": (lower if isinstance(lower, int) else 0) + 1}


ONCE: dict[str, Callable[[Arguments], Arguments]] = {"fori_loop": _index_once, "while_loop": _loop_once}
"""Arguments with which a loop takes one step: its variables keep their shapes and dtypes, and it might not end."""


def _like_images(given: Arguments) -> ArraySpec | None:
    images = given["images"]
    return ArraySpec(images.shape, images.dtype) if isinstance(images, SymbolicArray) else None


def _segments(given: Arguments) -> ArraySpec | None:
    data = given["data"]
    if given["num_segments"] is not None or not isinstance(data, SymbolicArray):
        return None
    return ArraySpec((None, *data.shape[1:]), data.dtype)


def _unstacked(given: Arguments) -> list[ArraySpec] | None:
    x, num, axis = given["x"], given["num"], given["axis"]
    if x.shape[axis] is not None:
        return None
    if num is None:
        raise ValueError(
            f"Argument `num` of unstack must be the size of axis {axis}, which is unknown while a graph is built. "
            f"Received: num=None, x={x!r}"
        )
    shape = list(x.shape)
    del shape[axis]
    return [ArraySpec(tuple(shape), x.dtype)] * num


def _without_values(given: Arguments) -> None:
    raise ValueError(
        "A symbolic array has no values for convert_to_numpy. Call the model, or `model.predict`, and convert its "
        "outputs. "
        f"Received: {given['x']!r}"
    )


BY_ARGUMENTS: dict[str, Callable[[Arguments], Any]] = {
    "convert_to_numpy": _without_values,
    "perspective_transform": _like_images,
    "segment_max": _segments,
    "segment_min": _segments,
    "segment_prod": _segments,
    "segment_sum": _segments,
    "unstack": _unstacked,
}
"""Functions from arguments by name to specs; None where a call on zeros is to tell them."""


def require_alike(one: Any, other: Any) -> None:
    """Raise an error if the two functions of a condition, of which a graph contains both, differ in their outputs."""
    forms = [
        [(leaf.shape, leaf.dtype) if isinstance(leaf, ArraySpec) else leaf for leaf in tree_leaves(specs)]
        for specs in (one, other)
    ]
    if forms[0] != forms[1]:
        raise ValueError(
            "The functions `true_fn` and `false_fn` of cond must return arrays of the same shapes and dtypes. "
            f"Received: {forms[1]} and {forms[0]} (shape, dtype)"
        )
