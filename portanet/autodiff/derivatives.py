"""Jacobians, Hessians and Hessian-vector products."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal

from portanet import checks
from portanet.autodiff import boundary
from portanet.autodiff.batching.array import Level
from portanet.autodiff.namespace import array_namespace
from portanet.autodiff.traced import is_traced, unwrap
from portanet.autodiff.transforms import Chosen, Function, at, chosen_arguments, filled, grad, jvp, places, vjp
from portanet.backends import device_of, raw_namespace
from portanet.tree import tree_items, tree_leaves, tree_map


def jacobian(
    f: Function,
    argnums: int | Sequence[int] = 0,
    mode: Literal["forward", "reverse"] | None = None,
    has_aux: bool = False,
    *,
    argnames: str | Sequence[str] | None = None,
) -> Function:
    """The derivatives of every element of the result with respect to every element of the arguments.

    Args:
        f: A function of arrays (or trees of them) that returns an array or a tree of arrays.
        argnums: Which positional arguments to differentiate with respect to.
        mode: `"forward"` (one direction per input element), `"reverse"` (one per output element), or None for
            whichever needs fewer. All directions go through one batched pass, as by `vmap`; large ones in several.
        has_aux: Whether `f` returns `(value, aux)`.
        argnames: Instead of `argnums`, the names of the arguments, which may then be passed by keyword.

    Returns:
        A function of the same arguments. For one array argument and one array result it returns an array of shape
        `(*result.shape, *argument.shape)`; for trees, a tree like the result whose leaves are trees like the argument;
        for several argnums or argnames, a tuple of them at the leaves. With `has_aux` it returns `(jacobian, aux)`.

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
    chosen = _checked(f, argnums, mode, has_aux, argnames, "jacobian")

    @functools.wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        _, aux, jac = _differentiate(f, chosen, mode, has_aux, args, kwargs)
        return (jac, aux) if has_aux else jac

    return function


def value_and_jacobian(
    f: Function,
    argnums: int | Sequence[int] = 0,
    mode: Literal["forward", "reverse"] | None = None,
    has_aux: bool = False,
    *,
    argnames: str | Sequence[str] | None = None,
) -> Function:
    """The value of a function together with its Jacobian, as solvers of nonlinear equations need them.

    Arguments and errors are those of `jacobian`; the result is `(value, jacobian)`, with `has_aux`
    `((value, aux), jacobian)`.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import value_and_jacobian
        >>> value_and_jacobian(lambda x: x[:1] * x[1])(np.asarray([2.0, 3.0]))
        (array([6.]), array([[3., 2.]]))
    """
    chosen = _checked(f, argnums, mode, has_aux, argnames, "value_and_jacobian")

    @functools.wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        value, aux, jac = _differentiate(f, chosen, mode, has_aux, args, kwargs)
        return ((value, aux), jac) if has_aux else (value, jac)

    return function


def _checked(f: Any, argnums: Any, mode: Any, has_aux: Any, argnames: Any, of: str) -> Chosen:
    """The arguments to differentiate with respect to, once all options are valid."""
    checks.function("f", f, of)
    checks.choice("mode", mode, ("forward", "reverse", None), of)
    checks.boolean("has_aux", has_aux, of)
    return chosen_arguments(argnums, argnames, of)


def _differentiate(
    f: Function,
    chosen: Chosen,
    mode: Literal["forward", "reverse"] | None,
    has_aux: bool,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> tuple[Any, Any, Any]:
    """Value, auxiliary result and Jacobian of `f(*args, **kwargs)`."""
    keys = places(f, chosen, args, kwargs)
    distinct = list(dict.fromkeys(keys))
    primals = boundary.floating_arguments({key: at(key, args, kwargs) for key in distinct}, (args, kwargs))

    def of_chosen(*values: Any) -> Any:
        call, options = filled(dict(zip(distinct, values, strict=True)), args, kwargs)
        return f(*call, **options)

    aux = None
    if mode != "forward":
        value, pullback, *rest = vjp(of_chosen, *primals, has_aux=has_aux)
        aux = rest[0] if has_aux else None
    if mode == "forward" or (mode is None and _count(primals) < _count(value)):
        value, aux, jac = _forward(of_chosen, primals, has_aux)
    else:
        jac = _reverse(value, pullback, primals)
    wanted = 0 if isinstance(chosen, (int, str)) else [distinct.index(key) for key in keys]
    return value, aux, _regroup(jac, wanted)


def _count(tree: Any) -> int:
    return sum(math.prod(x.shape) for x in tree_leaves(tree))


CHUNK = 2**22
"""Elements of arguments or results, times directions, in one batched pass."""


def _directions(tree: Any, other: Any) -> Iterator[tuple[str, Any, Level]]:
    """Every unit vector of a tree of arrays, in order, as batches that hold as many as `CHUNK` allows.

    Yields:
        The path of the leaf that contains the ones, a tree in which that leaf is batched, and the level.
    """
    items = list(tree_items(tree))
    most = max(1, CHUNK // max(_count(tree), _count(other), 1))
    for path, leaf in items:
        size = math.prod(leaf.shape)
        for start in range(0, size, most):
            level = Level(min(most, size - start))
            parts = iter([_units(x, start, level) if p == path else boundary.zeros_like(x) for p, x in items])
            yield path, tree_map(lambda _, parts=parts: next(parts), tree), level
            level.alive = False


def _units(x: Any, start: int, level: Level) -> Any:
    """A batch of arrays like `x`, zeros with a 1 at the flat position `start`, `start + 1` and so on."""
    from portanet.autodiff.batching.transform import batch

    x = unwrap(x)
    raw, device = raw_namespace(x), device_of(x)
    columns = raw.arange(math.prod(x.shape), device=device)
    rows = raw.arange(start, start + level.size, device=device)
    ones = raw.astype(raw.expand_dims(rows, axis=1) == columns, x.dtype)
    return batch(raw.reshape(ones, (level.size, *x.shape)), level)


class _Block:
    """The Jacobian of one result by all arguments: a leaf for tree functions until `_regroup`."""

    __slots__ = ("trees",)

    def __init__(self, trees: Any) -> None:
        self.trees = trees


def _reverse(out: Any, pullback: Callable[..., Any], primals: list[Any]) -> Any:
    """One pullback of a batch of cotangents, one per element of the results."""
    rows: dict[str, list[Any]] = {path: [] for path, _ in tree_items(out)}
    for path, cotangent, level in _directions(out, primals):
        rows[path].append(_whole(pullback(cotangent, retain=True), level))
    paths = iter(rows)

    def block(leaf: Any) -> _Block:
        gradients = rows[next(paths)]
        shape = tuple(leaf.shape)
        if not gradients:
            return _Block(tree_map(lambda x: boundary.zeros(x, (*shape, *x.shape)), tuple(primals)))
        return _Block(tree_map(lambda *gs: _joined(gs, shape, True), gradients[0], *gradients[1:]))

    return tree_map(block, out)


def _forward(f: Function, primals: list[Any], has_aux: bool) -> tuple[Any, Any, Any]:
    """Value, auxiliary result and Jacobian by a forward pass with a batch of tangents, one per element."""
    columns: dict[str, list[Any]] = {path: [] for path, _ in tree_items(primals)}
    result: tuple[Any, ...] = ()
    for path, direction, level in _directions(primals, ()):
        result = jvp(f, primals, direction, has_aux)
        columns[path].append(dict(tree_items(_whole(result[1], level))))
    if not result:
        result = jvp(f, primals, tree_map(boundary.zeros_like, primals), has_aux)
    elif not is_traced(primals):  # though the tangents were
        result = tuple([tree_map(boundary.plain, part) for part in result])
    out = result[0]
    out_paths = iter([path for path, _ in tree_items(out)])

    def block(leaf: Any) -> _Block:
        out_path = next(out_paths)
        paths = iter(columns)

        def by_argument(x: Any) -> Any:
            tangents = [column[out_path] for column in columns[next(paths)]]
            if not tangents:
                return boundary.zeros(leaf, (*leaf.shape, *x.shape))
            return _joined(tangents, tuple(x.shape), False)

        return _Block(tuple(tree_map(by_argument, primals)))

    return out, result[2] if has_aux else None, tree_map(block, out)


def _whole(tree: Any, level: Level) -> Any:
    """Derivatives with the directions of a batch along the first axis."""
    from portanet.autodiff.batching.transform import outward, whole

    return tree_map(lambda x: outward(whole(x, level)), tree)


def _joined(parts: Sequence[Any], shape: tuple[int, ...], first: bool) -> Any:
    """Join derivatives along their first dimension, and reshape that to `shape`, as the first or the last ones."""
    xp = array_namespace(*parts)
    joined = parts[0] if len(parts) == 1 else xp.concat(list(parts), axis=0)
    rest = tuple(joined.shape[1:])
    if first:
        return xp.reshape(joined, (*shape, *rest))
    return xp.reshape(xp.moveaxis(joined, 0, -1), (*rest, *shape))


def _regroup(blocks: Any, wanted: int | list[int]) -> Any:
    """The derivatives by one argument, or by several as tuples."""
    if isinstance(wanted, int):
        return tree_map(lambda block: block.trees[wanted], blocks)
    return tree_map(lambda block: tuple([block.trees[i] for i in wanted]), blocks)


def hessian(
    f: Function,
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    argnames: str | Sequence[str] | None = None,
) -> Function:
    """All second derivatives of a scalar function, forward over reverse.

    Args:
        f: A function of arrays that returns a scalar.
        argnums: Which positional arguments to differentiate with respect to.
        has_aux: Whether `f` returns `(value, aux)`.
        argnames: Instead of `argnums`, the names of the arguments, which may then be passed by keyword.

    Returns:
        A function of the same arguments that returns an array of shape `(*x.shape, *x.shape)` for an array argument;
        for trees and several argnums or argnames, a tree of trees, as for the Jacobian of the gradient. With `has_aux`
        it returns `(hessian, aux)`.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import hessian
        >>> hessian(lambda x: x[0] ** 2 * x[1])(np.asarray([1.0, 2.0]))
        array([[4., 2.],
               [2., 0.]])
    """
    chosen = _checked(f, argnums, None, has_aux, argnames, "hessian")

    gradient = grad(f, argnums, has_aux, argnames=argnames)

    @functools.wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        _, aux, jac = _differentiate(gradient, chosen, "forward", has_aux, args, kwargs)
        return (jac, aux) if has_aux else jac

    return function


def hvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> Any:
    """The Hessian-vector product without the matrix: the derivative of the gradient along the vector.

    Source: B. A. Pearlmutter, Fast exact multiplication by the Hessian, Neural Computation 6 (1994).

    Args:
        f: A function of arrays (or trees of them) that returns a scalar.
        primals: Its arguments.
        tangents: One per primal, with the same structure, shapes and dtypes.
        has_aux: Whether `f` returns `(value, aux)`.

    Returns:
        A tuple with one product per primal; for one primal, the product. With `has_aux`, `(product, aux)`.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import hvp
        >>> hvp(lambda x: x[0] ** 2 * x[1], (np.asarray([1.0, 2.0]),), (np.asarray([1.0, 0.0]),))
        array([4., 2.])
    """
    gradient = grad(f, tuple(range(len(primals))), has_aux)
    _, product, *aux = jvp(gradient, primals, tangents, has_aux)
    product = product[0] if len(primals) == 1 else product
    return (product, *aux) if has_aux else product
