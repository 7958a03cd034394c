"""Jacobians, Hessians and Hessian-vector products."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from portanet import checks
from portanet.autodiff import boundary
from portanet.autodiff.namespace import array_namespace
from portanet.autodiff.traced import unwrap
from portanet.autodiff.transforms import Function, differentiate, grad, jvp, positions, vjp
from portanet.backends import Array, device_of, raw_namespace
from portanet.tree import tree_items, tree_leaves, tree_map


def jacobian(
    f: Function, argnums: int | Sequence[int] = 0, mode: Literal["forward", "reverse"] | None = None
) -> Function:
    """The derivatives of every element of the result with respect to every element of the arguments.

    Args:
        f: A function of arrays (or trees of them) that returns an array or a tree of arrays.
        argnums: Which positional arguments to differentiate with respect to.
        mode: `"forward"` (one pass per input element), `"reverse"` (one pullback per output element), or None for
            whichever needs fewer.

    Returns:
        A function of the same arguments. For one array argument and one array result it returns an array of shape
        `(*result.shape, *argument.shape)`; for trees, a tree like the result whose leaves are trees like the argument;
        for several argnums, a tuple of them at the leaves.

    Raises:
        TypeError: An argument is not floating-point.
        ValueError: `mode` is none of these.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import jacobian
        >>> jacobian(lambda x: x * x)(np.asarray([1.0, 2.0, 3.0]))
        array([[2., 0., 0.],
               [0., 4., 0.],
               [0., 0., 6.]])
    """
    checks.function("f", f, "jacobian")
    checks.choice("mode", mode, ("forward", "reverse", None), "jacobian")

    @functools.wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        chosen = positions(argnums, len(args))
        primals = [args[i] for i in chosen]

        def of_chosen(*values: Any) -> Any:
            filled = dict(zip(chosen, values, strict=True))
            rest = (filled[i] if i in filled else boundary.lift_tree(a) for i, a in enumerate(args))
            return f(*rest, **boundary.lift_tree(kwargs))

        if mode == "forward":
            jac = _forward(of_chosen, primals)
        else:
            out, pullback = vjp(of_chosen, *primals)
            if mode is None and _count(primals) < _count(out):
                jac = _forward(of_chosen, primals)
            else:
                jac = _reverse(out, pullback, primals)
        return _regroup(jac, not isinstance(argnums, Sequence))

    return function


def _count(tree: Any) -> int:
    return sum(math.prod(x.shape) for x in tree_leaves(tree))


def _units(tree: Any) -> Iterator[tuple[str, Any]]:
    """Every unit vector of a tree of arrays, in order, with the path of the leaf that contains the 1."""
    items = list(tree_items(tree))
    for path, leaf in items:
        for position in range(math.prod(leaf.shape)):
            parts = iter([unit(unwrap(x), position if p == path else None) for p, x in items])
            yield path, tree_map(lambda _, parts=parts: next(parts), tree)


def unit(x: Array, position: int | None) -> Array:
    """Zeros like the plain array `x`, with a 1 at the flat `position` if that is given."""
    raw = raw_namespace(x)
    if position is None:
        return raw.zeros_like(x)
    positions = raw.arange(math.prod(x.shape), device=device_of(x))
    return raw.reshape(raw.astype(positions == position, x.dtype), tuple(x.shape))


class _Block:
    """The Jacobian of one result by all arguments: a leaf for tree functions until `_regroup`."""

    __slots__ = ("trees",)

    def __init__(self, trees: Any) -> None:
        self.trees = trees


def _reverse(out: Any, pullback: Callable[..., Any], primals: list[Any]) -> Any:
    """One pullback per element of the results."""
    rows: dict[str, list[Any]] = {path: [] for path, _ in tree_items(out)}
    for path, cotangent in _units(out):
        rows[path].append(pullback(cotangent, retain=True))
    paths = iter(rows)

    def block(leaf: Any) -> _Block:
        gradients = rows[next(paths)]
        shape = tuple(leaf.shape)
        if not gradients:
            return _Block(tree_map(lambda x: _empty(x, (*shape, *x.shape)), tuple(primals)))
        return _Block(tree_map(lambda *gs: _stacked(gs, shape, True), gradients[0], *gradients[1:]))

    return tree_map(block, out)


def _forward(f: Function, primals: list[Any]) -> Any:
    """One forward pass per element of the arguments."""
    columns: dict[str, list[Any]] = {path: [] for path, _ in tree_items(primals)}
    out = None
    for path, direction in _units(primals):
        out, tangent = jvp(f, primals, direction)
        columns[path].append(dict(tree_items(tangent)))
    if out is None:
        out, _ = jvp(f, primals, tree_map(boundary.zeros_like, primals))
    out_paths = iter([path for path, _ in tree_items(out)])

    def block(leaf: Any) -> _Block:
        out_path = next(out_paths)
        paths = iter(columns)

        def by_argument(x: Any) -> Any:
            tangents = [column[out_path] for column in columns[next(paths)]]
            if not tangents:
                return _empty(leaf, (*leaf.shape, *x.shape))
            return _stacked(tangents, tuple(x.shape), False)

        return _Block(tuple(tree_map(by_argument, primals)))

    return tree_map(block, out)


def _empty(x: Any, shape: tuple[int, ...]) -> Any:
    """An array of size 0 with the library, dtype and device of `x`."""
    value = unwrap(x)
    return raw_namespace(value).zeros(shape, dtype=value.dtype, device=device_of(value))


def _stacked(parts: Sequence[Any], shape: tuple[int, ...], first: bool) -> Any:
    """Join derivatives along one new dimension, the first or the last, and reshape that to `shape`."""
    xp = array_namespace(*parts)
    joined = xp.stack(list(parts), axis=0 if first else -1)
    part_shape = tuple(parts[0].shape)
    return xp.reshape(joined, (*shape, *part_shape) if first else (*part_shape, *shape))


def _regroup(blocks: Any, single: bool) -> Any:
    return tree_map(lambda block: block.trees[0] if single else block.trees, blocks)


def hessian(f: Function, argnums: int | Sequence[int] = 0) -> Function:
    """All second derivatives of a scalar function, forward over reverse.

    Args:
        f: A function of arrays that returns a scalar.
        argnums: Which positional arguments to differentiate with respect to.

    Returns:
        A function of the same arguments that returns an array of shape `(*x.shape, *x.shape)` for an array argument;
        for trees and several argnums, a tree of trees, as for the Jacobian of the gradient.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import hessian
        >>> hessian(lambda x: x[0] ** 2 * x[1])(np.asarray([1.0, 2.0]))
        array([[4., 2.],
               [2., 0.]])
    """
    checks.function("f", f, "hessian")
    return jacobian(grad(f, argnums), argnums, mode="forward")


def hvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The Hessian-vector product without the matrix: the derivative of the gradient along the vector.

    Source: B. A. Pearlmutter, Fast exact multiplication by the Hessian, Neural Computation 6 (1994).

    Args:
        f: A function of arrays (or trees of them) that returns a scalar.
        primals: Its arguments.
        tangents: One per primal, with the same structure, shapes and dtypes.

    Returns:
        A tuple with one product per primal; for one primal, the product.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import hvp
        >>> hvp(lambda x: x[0] ** 2 * x[1], (np.asarray([1.0, 2.0]),), (np.asarray([1.0, 0.0]),))
        array([4., 2.])
    """
    argnums = tuple(range(len(primals)))
    product = jvp(lambda *xs: differentiate(f, argnums, False, xs, {})[1], primals, tangents)[1]
    return product[0] if len(primals) == 1 else product
