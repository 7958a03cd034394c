"""Outputs of functions of `portanet.ops` that a call on zeros does not tell, or not in reasonable time."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from typing import Any

from portanet.autodiff import array_namespace
from portanet.backends import Array, device_of
from portanet.layers.output_shapes import ArraySpec
from portanet.tree import tree_leaves, tree_map

Arguments = dict[str, Any]

MANY = (12, 24)
"""Sizes of a batch where smaller ones are refused, without the numbers among the arguments, which may be positions."""
LARGEST = 2**8
"""The largest of these numbers that is added to the sizes of a batch: more may not fit into memory."""
OF_MANY = {"array_split", "dsplit", "hsplit", "slice", "split", "vsplit"}
"""Functions of which a few rows do not tell the number of rows for a batch of any size."""
BY_VALUES = {
    "argwhere", "bincount", "get_item", "nonzero", "segment_max", "segment_min", "segment_prod", "segment_sum",
    "slice", "unique", "where",
}  # fmt: skip
"""Functions whose results may have sizes that depend on values: `counted` ones are tried beside zeros."""
ATTEMPTS = 64
"""How many of `known_sizes` are tried."""


def _loop_once(given: Arguments) -> Arguments:
    return {**given, "maximum_iterations": 1}


def _index_once(given: Arguments) -> Arguments:
    lower = given["lower"]
    return {**given, "upper": (lower if isinstance(lower, int) else 0) + 1}


ONCE: dict[str, Callable[[Arguments], Arguments]] = {"fori_loop": _index_once, "while_loop": _loop_once}
"""Arguments with which a loop takes one step: its variables keep their shapes and dtypes, and it might not end."""


def _unstacked(given: Arguments) -> list[ArraySpec] | None:
    x, num, axis = given["x"], given["num"], given["axis"]
    if not -len(x.shape) <= axis < len(x.shape) or x.shape[axis] is not None:
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
        f"outputs. Received: {given['x']!r}"
    )


def item(given: Arguments) -> ArraySpec | None:
    """The spec of `get_item` by numbers and slices, which fit axes of unknown size; None for other keys."""
    x, key = given["x"], given["key"]
    keys = [k.item() if hasattr(k, "item") and k.shape == () else k for k in (key if type(key) is tuple else [key])]
    if any(isinstance(k, bool) or not (k is None or k is ... or isinstance(k, (int, slice))) for k in keys):
        return None
    rest = len(x.shape) - sum(k is not None and k is not ... for k in keys)
    if rest < 0 or keys.count(...) > 1:
        return None
    sizes, shape = iter(x.shape), list[int | None]()
    for k in keys if ... in keys else [*keys, ...]:
        if k is None:
            shape.append(1)
        elif k is ...:
            shape += itertools.islice(sizes, rest)
        elif (size := next(sizes)) is not None or isinstance(k, slice):
            try:
                parts = [range(n)[k] for n in ((1, 2, 2**40) if size is None else (size,))]
            except (IndexError, TypeError, ValueError):  # for the function to say what is wrong
                return None
            if isinstance(k, slice):
                counts = {len(part) for part in parts}
                shape.append(counts.pop() if len(counts) == 1 else None)
    return ArraySpec(tuple(shape), x.dtype)


def many(given: Any) -> tuple[int, int]:
    """Two sizes of a batch that has the positions among these arguments."""
    largest = max((abs(n) for n in tree_leaves(given) if isinstance(n, int)), default=0)
    return MANY[0] + min(largest, LARGEST), MANY[1] + min(largest, LARGEST)


BY_ARGUMENTS: dict[str, Callable[[Arguments], Any]] = {
    "convert_to_numpy": _without_values,
    "unstack": _unstacked,
}
"""Functions from arguments by name to specs; None where a call on zeros is to tell them."""


def well_conditioned(x: Array) -> Array:
    """For zeros, data with few exceptions among functions: between 0 and 1, matrices positive definite."""
    xp = array_namespace(x)
    if not xp.isdtype(x.dtype, "real floating"):
        return x
    x = x + 0.25
    return x if x.ndim < 2 else x + 0.25 * xp.eye(*x.shape[-2:], dtype=x.dtype, device=device_of(x))


def counted(x: Array) -> Array:
    """For zeros, 1, 2, 3 and so on."""
    xp = array_namespace(x)
    numbers = xp.arange(1, math.prod(x.shape) + 1, device=device_of(x))
    return xp.astype(xp.reshape(numbers, x.shape), x.dtype)


def with_corners(x: Array) -> Array:
    """For zeros, the corners of a square where they are to be four points."""
    xp = array_namespace(x)
    if tuple(x.shape[-2:]) != (4, 2):
        return x
    return x + xp.asarray([[0, 0], [1, 0], [0, 1], [1, 1]], dtype=x.dtype, device=device_of(x))


def true(x: Array) -> Array:
    """For zeros, what is true."""
    return x == 0


def known_sizes(x: Any) -> Iterator[Any]:
    """Specs with known sizes in place of unknown ones, first of one, then of two and of three: where axes meet in a
    function, their sizes are to be the same.
    """
    leaves = tree_leaves(x)
    places = [(i, axis) for i, leaf in enumerate(leaves) for axis, n in enumerate(leaf.shape) if n is None]
    sizes = {n: None for leaf in leaves for n in leaf.shape if n is not None and n > 1}
    for count in range(1, min(len(places), 3) + 1):
        for chosen in itertools.combinations(places, count):
            for values in itertools.product(sizes, repeat=count):
                shapes = [list(leaf.shape) for leaf in leaves]
                for (i, axis), size in zip(chosen, values, strict=True):
                    shapes[i][axis] = size
                new = iter([ArraySpec(tuple(shape), leaf.dtype) for shape, leaf in zip(shapes, leaves, strict=True)])
                yield tree_map(lambda _, new=new: next(new), x)


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
