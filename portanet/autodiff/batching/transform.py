"""`vmap`: a function of one example, applied to a batch."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from portanet import checks
from portanet.autodiff.batching.array import BatchedArray, Level, root
from portanet.autodiff.batching.namespace import batched_over
from portanet.autodiff.boundary import plain, refused_elsewhere
from portanet.autodiff.namespace import array_namespace, differentiable_namespace, lift
from portanet.autodiff.traced import TracedArray, is_traced
from portanet.autodiff.tracing import SCALARS, is_array
from portanet.backends import raw_namespace
from portanet.tree import KINDS, LEAF, NOTHING, tree_items, tree_leaves, tree_map

Function = Callable[..., Any]


def vmap(f: Function, in_axes: Any = 0, out_axes: Any = 0) -> Function:
    """A function that applies `f` to every example of a batch, in one pass over arrays of any library.

    `f` is written for one example, against the array API standard, and is called once: its arrays hide the batch axis.
    Derivatives nest in any order: `grad(vmap(f))`, `vmap(grad(f))`, `vmap(vmap(f))`.

    Args:
        f: A function of arrays (or trees of them) that returns an array or a tree of arrays.
        in_axes: The batch axis of each positional argument: an integer for all, or a tuple with one entry per argument,
            each an integer, None for an argument that all examples share, or a tree of them like the argument. Arrays
            in keyword arguments are batched along axis 0, as in `jax.vmap`; other values are passed as they are.
        out_axes: Where the batch axis of the result goes: an integer, None for a result that is the same for all
            examples, or a tree of them like the result.

    Returns:
        A function of the same arguments with a batch axis, which returns results with a batch axis.

    Raises:
        ValueError: Sizes of batch axes differ, or an argument has no such axis; the message names the argument. Or a
            result differs between examples where `out_axes` is None, or in its shape (`xp.nonzero`, `x[mask]`).
        TypeError: `in_axes` or `out_axes` does not fit the arguments or the result.
        TraceError: Control flow depends on a batched value (`if x > 0`: use `xp.where`), or a batched array was used
            after `f` had returned.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import grad, vmap
        >>> def loss(w, x):
        ...     return (x @ w) ** 2
        >>> x = np.asarray([[1.0, 2.0], [3.0, 4.0]])
        >>> vmap(grad(loss), in_axes=(None, 0))(np.asarray([1.0, 1.0]), x)  # one gradient per example
        array([[ 6., 12.],
               [42., 56.]])
    """
    checks.function("f", f, "vmap")

    @functools.wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        nested = is_traced(args, kwargs)
        axes = in_axes if isinstance(in_axes, (tuple, list)) else (in_axes,) * len(args)
        places = [*_places(axes, args), *((x, 0 if is_array(x) else None) for x in tree_leaves(kwargs))]
        level = Level(_size(places, args, kwargs))
        opened = iter([_opened(level, x, axis) for x, axis in places])
        try:
            out = f(*tree_map(lambda _: next(opened), args), **tree_map(lambda _: next(opened), kwargs))
            space = _library([x for x, axis in places if axis is not None])
            leaves = zip(tree_leaves(out), _prefix("out_axes", out_axes, out, "the result"), strict=True)
            results = iter([_closed(level, x, axis, (out, i), nested, space) for i, (x, axis) in enumerate(leaves)])
            return tree_map(lambda _: next(results), out)
        except (TypeError, ValueError) as error:
            if (own := refused_elsewhere(error)) is not None:
                raise own from error
            raise
        finally:
            level.alive = False

    return function


def _library(arrays: list[Any]) -> Any:
    return array_namespace(*(plain(x) for x in arrays))


def _places(in_axes: Any, args: tuple[Any, ...]) -> Iterator[tuple[Any, int | None]]:
    """Every leaf of the positional arguments, and its batch axis."""
    if len(in_axes) != len(args):
        raise TypeError(
            "in_axes must be an integer, or have one entry per positional argument. "
            f"Received: in_axes={in_axes!r} and {len(args)} positional arguments"
        )
    for number, (axes, arg) in enumerate(zip(in_axes, args, strict=True)):
        yield from zip(tree_leaves(arg), _prefix("in_axes", axes, arg, f"argument {number}"), strict=True)


def _prefix(name: str, axes: Any, tree: Any, what: str) -> list[int | None]:
    """One axis per leaf of a tree, from a tree of axes that may end above the leaves."""
    if axes is None or type(axes) is int:
        return [axes] * len(tree_leaves(tree))
    kind = KINDS[type(axes)]
    if kind in (LEAF, NOTHING) or isinstance(axes, bool):
        raise TypeError(f"{name} must be integers, None or trees of them. Received: {axes!r} for {what}")
    branches, parts = _branches(axes), _branches(tree)
    if KINDS[type(tree)] != kind or branches.keys() != parts.keys():
        raise TypeError(
            f"{name} must be an integer, None or a tree like {what}. Received: {name}={axes!r} for {what} of type "
            f"{type(tree).__name__} with {list(parts)}"
        )
    return [axis for key, part in parts.items() for axis in _prefix(name, branches[key], part, what)]


def _branches(tree: Any) -> dict[Any, Any]:
    """The children of a node."""
    if hasattr(tree, "items"):
        return dict(tree.items())
    if isinstance(tree, (list, tuple)):
        return dict(enumerate(tree))
    return dict(getattr(tree, "__dict__", {}))


def _size(places: list[tuple[Any, int | None]], args: tuple[Any, ...], kwargs: dict[str, Any]) -> int:
    """The size of the batch, on which all arguments must agree."""
    sizes: dict[int, int] = {}
    for i, (x, axis) in enumerate(places):
        if axis is None:
            continue
        if not is_array(x) or not -len(x.shape) <= axis < len(x.shape):
            kind = f"an array of shape {tuple(x.shape)}" if is_array(x) else f"a {type(x).__name__}"
            name = _names(args, kwargs)[i]
            raise ValueError(
                f"vmap needs arrays with a batch axis, and {name} has no axis {axis}. Pass in_axes=None for an "
                f"argument that all examples share. Received: {name} is {kind}"
            )
        sizes[i] = int(x.shape[axis])
    if not sizes:
        raise ValueError("vmap needs at least one array with a batch axis. Received: none, or in_axes of None alone")
    if len(set(sizes.values())) > 1:
        names = _names(args, kwargs)
        listed = ", ".join(f"{size} for {names[i]}" for i, size in sizes.items())
        raise ValueError(f"The batch axes of all arguments of vmap must have the same size. Received: {listed}")
    return next(iter(sizes.values()))


def _names(args: tuple[Any, ...], kwargs: dict[str, Any]) -> list[str]:
    """The name of every leaf of the arguments."""
    named = {**{f"argument {number}": arg for number, arg in enumerate(args)}, **kwargs}
    return [path for name, arg in named.items() for path, _ in tree_items(arg, name)]


def _opened(level: Level, x: Any, axis: int | None) -> Any:
    """An argument as the function sees it."""
    if axis is None:
        return lift(x)
    x = plain(x)
    if axis % len(x.shape):
        x = array_namespace(x).moveaxis(x, axis, 0)
    return batch(x, level)


def batch(x: Any, level: Level) -> TracedArray:
    """A traced array without a trace, whose examples are the rows of `x`."""
    library = x._xp.raw if type(x) is TracedArray else raw_namespace(x)
    space = batched_over(root(library))
    out = TracedArray(space.array(x, level), None, None, differentiable_namespace(space))
    out._writable = False
    return out


def unbatch(x: Any, level: Level) -> Any:
    """The value of an array of this level, with the batch axis first; None if all examples share it."""
    x = plain(x)
    return x.value if isinstance(x, BatchedArray) and x.level is level else None


def whole(x: Any, level: Level) -> Any:
    """The value of an array of this level, with the batch axis first; one that all examples share is repeated."""
    value = unbatch(x, level)
    if value is None:
        x = outward(plain(x))
        value = plain(array_namespace(x).broadcast_to(x, (level.size, *x.shape)))
    return value


def _closed(level: Level, x: Any, axis: int | None, place: tuple[Any, int], nested: bool, xp: Any) -> Any:
    """A result, at a place in the tree of all, as the caller sees it."""
    if type(x) in SCALARS:
        x = xp.asarray(x)
    if not is_array(x):
        raise TypeError(
            f"A function under vmap must return arrays. Received: a {type(x).__name__} at result{_path(place)}"
        )
    value = unbatch(x, level)
    if value is None:
        value = plain(x) if axis is None else whole(x, level)
    elif axis is None:
        raise ValueError(
            "out_axes=None is for results that all examples share, and this one differs between them. "
            f"Received: out_axes=None for result{_path(place)}, which depends on a batched argument"
        )
    if axis is not None:
        if not -value.ndim <= axis < value.ndim:
            raise ValueError(
                f"out_axes must be an axis of the result with its batch axis, which has {value.ndim} axes. "
                f"Received: out_axes={axis} for result{_path(place)}"
            )
        if axis % value.ndim:
            value = outward(value)
            value = array_namespace(value).moveaxis(value, 0, axis)
    return lift(value) if nested else outward(plain(value))


def _path(place: tuple[Any, int]) -> str:
    tree, leaf = place
    return [path for path, _ in tree_items(tree)][leaf]


def outward(x: Any) -> Any:
    """A result, which a caller inside another `vmap` sees as a traced array."""
    return lift(x) if isinstance(x, BatchedArray) else x
