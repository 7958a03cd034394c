"""Loops, conditions and derivatives of functions of arrays."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

from portanet import autodiff, checks
from portanet.autodiff import array_namespace, custom_vjp, storage, unwrap
from portanet.backends import Array, readable
from portanet.ops.conversion import as_array
from portanet.ops.operation import operation
from portanet.tree import tree_leaves, tree_map

Function = Callable[..., Any]


def _arrays(tree: Any) -> Any:
    return tree_map(as_array, tree)


@operation
def cond(pred: Array, true_fn: Callable[[], Any], false_fn: Callable[[], Any]) -> Any:
    """The result of one of two functions, by a condition.

    Where the condition cannot be read (in `vmap`, and in steps that are being compiled), both are called.

    Args:
        pred: The condition, an array of shape () or a boolean.
        true_fn: Called without arguments if it is true.
        false_fn: Called if not; it returns arrays of the same shapes and dtypes.

    Example:
        >>> cond(True, lambda: 1, lambda: 2)
        1
    """
    if _is_known(pred):
        return true_fn() if bool(unwrap(pred)) else false_fn()
    return _chosen([pred], [true_fn(), false_fn()])


def _is_known(x: Array) -> bool:
    """Whether a condition can be read: it is not one per example of a batch."""
    plain = storage(x)
    return readable(plain, wait=True) and tuple(plain.shape) == tuple(x.shape)


def _chosen(conditions: list[Array], results: Sequence[Any]) -> Any:
    """The first result whose condition is true, else the last."""

    def choose(*leaves: Any) -> Array:
        *rest, chosen = (as_array(leaf) for leaf in leaves)
        for condition, leaf in reversed(list(zip(conditions, rest, strict=True))):
            chosen = array_namespace(leaf, chosen, condition).where(condition, leaf, chosen)
        return chosen

    return tree_map(choose, *results)


@operation
def switch(index: Array, branches: Sequence[Function], *operands: Any) -> Any:
    """The result of one of several functions, by its index, which is clipped to those that exist.

    Args:
        index: The index, an array of shape () or an integer.
        branches: The functions.
        operands: Their arguments.

    Example:
        >>> switch(1, [lambda x: x, lambda x: 2 * x], 3.0)
        6.0
    """
    if _is_known(index):
        return branches[min(max(int(unwrap(index)), 0), len(branches) - 1)](*operands)
    conditions = [index <= i for i in range(len(branches) - 1)]
    return _chosen(conditions, [branch(*operands) for branch in branches])


@operation
def while_loop(cond: Function, body: Function, loop_vars: Any, maximum_iterations: int | None = None) -> Any:
    """Apply `body` to variables while a condition holds.

    Args:
        cond: `cond(*loop_vars)` returns whether to go on.
        body: `body(*loop_vars)` returns the new variables, in the same shapes and dtypes.
        loop_vars: A list or tuple of arrays or trees, or a single array.
        maximum_iterations: Greatest number of steps; None for no limit.

    Returns:
        The last variables: a tuple, or an array if there is one alone.

    Example:
        >>> while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x * 2), (0, 1.0))[1]
        np.float32(8.0)
    """
    several = isinstance(loop_vars, (list, tuple))
    values = tuple(_arrays(list(loop_vars) if several else [loop_vars]))
    if maximum_iterations is None:
        values = autodiff.while_loop(lambda v: cond(*v), lambda v: _tuple(body(*v)), values)
    for _ in range(maximum_iterations or 0):
        if not bool(unwrap(as_array(cond(*values)))):
            break
        values = _tuple(body(*values))
    return values if several else values[0]


def _tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, (list, tuple)) else (value,)


@operation
def fori_loop(lower: Any, upper: Any, body_fun: Function, init_val: Any) -> Any:
    """Apply `value = body_fun(i, value)` for i from `lower` to `upper`, which is not included.

    Args:
        lower: First index.
        upper: Index after the last.
        body_fun: `body_fun(i, value)`, the next value.
        init_val: First value: an array, or a tree of arrays.

    Example:
        >>> fori_loop(0, 3, lambda i, x: x + i, 0.0)
        np.float32(3.0)
    """
    first, end = (int(unwrap(as_array(n))) for n in (lower, upper))
    return autodiff.fori_loop(first, end, body_fun, _arrays(init_val))


@operation
def scan(
    f: Function, init: Any, xs: Any = None, length: int | None = None, reverse: bool = False, unroll: int | bool = 1
) -> tuple[Any, Any]:
    """Apply a step along the first axis of arrays, passing on a carry and collecting outputs.

    Args:
        f: `f(carry, x)` returns `(carry, y)`.
        init: The first carry: an array or a tree of arrays.
        xs: An array or a tree of arrays with the same first axis; None for none.
        length: Number of steps; needed if `xs` is None.
        reverse: Whether to go from the last step to the first.
        unroll: Ignored: there is no compiler that it would concern.

    Returns:
        The last carry, and the outputs stacked along a new first axis.

    Example:
        >>> scan(lambda total, x: (total + x, total + x), 0, [1, 2, 3])
        (np.int32(6), array([1, 3, 6], dtype=int32))
    """
    if not isinstance(unroll, bool):
        checks.positive_int("unroll", unroll, "scan")
    xs = as_array(xs) if isinstance(xs, list) and not any(hasattr(x, "shape") for x in xs) else _arrays(xs)
    return autodiff.scan(f, _arrays(init), xs, length, reverse)


@operation
def map(f: Function, xs: Any) -> Any:
    """The results of a function for each element along the first axis of arrays, stacked; one after the other.

    Args:
        f: A function of an array, or of a tree of arrays.
        xs: Arrays, whose first axis is mapped over.

    Example:
        >>> from portanet import ops
        >>> map(lambda x: x * 2, ops.array([1, 2]))
        array([2, 4], dtype=int32)
    """
    return autodiff.scan(lambda _, x: (None, f(x)), None, _arrays(xs))[1]


@operation
def vectorized_map(function: Function, elements: Any) -> Any:
    """The results of a function for each element along the first axis of arrays, computed at once; see `vmap`.

    Args:
        function: A function of an array, or of a tree of arrays.
        elements: Arrays, whose first axis is mapped over.

    Example:
        >>> from portanet import ops
        >>> vectorized_map(lambda x: x * 2, ops.array([1, 2]))
        array([2, 4], dtype=int32)
    """
    return autodiff.vmap(function)(_arrays(elements))


@operation
def associative_scan(f: Function, elems: Any, reverse: bool = False, axis: int = 0) -> Any:
    """Combine all elements up to each along an axis, by an associative function.

    Args:
        f: `f(a, b)` combines arrays of elements, or trees of them, one by one.
        elems: An array or a tree of arrays.
        reverse: Whether to combine from the last element.
        axis: The axis.

    Example:
        >>> from portanet import ops
        >>> associative_scan(lambda a, b: a + b, ops.array([1, 2, 3]))
        array([1, 3, 6], dtype=int32)
    """
    elems = _arrays(elems)
    first = tree_leaves(elems)[0]
    axis = checks.axis("axis", axis, len(first.shape), "associative_scan") % len(first.shape)
    count = first.shape[axis]
    counts = [leaf.shape[axis] if axis < len(leaf.shape) else None for leaf in tree_leaves(elems)]
    if set(counts) != {count}:
        raise ValueError(
            f"Argument `elems` of associative_scan must hold arrays of one size on axis {axis}. Received: {counts}"
        )

    def part(tree: Any, start: int | None, stop: int | None) -> Any:
        return tree_map(lambda x: x[(*(slice(None),) * axis, slice(start, stop), ...)], tree)

    def flipped(tree: Any) -> Any:
        return tree_map(lambda x: array_namespace(x).flip(x, axis=axis), tree) if reverse else tree

    elems, distance = flipped(elems), 1
    while distance < count:
        joined = f(part(elems, None, -distance), part(elems, distance, None))
        start = part(elems, None, distance)
        elems = tree_map(lambda a, b: array_namespace(a, b).concat([a, b], axis=axis), start, joined)
        distance *= 2
    return flipped(elems)


@operation
def vectorize(pyfunc: Function, *, excluded: Any = None, signature: str | None = None) -> Function:
    """A function of arrays that calls another for each of their elements, which broadcast.

    Args:
        pyfunc: The function of elements.
        excluded: Positions of arguments that are passed on as they are.
        signature: Must be None: elements are arrays of shape ().

    Example:
        >>> vectorize(lambda a, b: a + b)([1, 2], 10)
        array([11, 12], dtype=int32)
    """
    if signature is not None:
        raise checks.invalid("signature", signature, "None: elements are arrays of shape ()", "vectorize")
    kept = set(excluded or ())

    def vectorized(*args: Any) -> Any:
        places = [i for i in range(len(args)) if i not in kept]
        arrays = array_namespace(as_array(args[places[0]])).broadcast_arrays(*(as_array(args[i]) for i in places))
        shape = tuple(arrays[0].shape)
        flat = [array_namespace(x).reshape(x, (-1,)) for x in arrays]

        def one(*elements: Any) -> Any:
            values = list(args)
            for i, element in zip(places, elements, strict=True):
                values[i] = element
            return pyfunc(*values)

        results = autodiff.vmap(one)(*flat)
        return tree_map(lambda y: array_namespace(y).reshape(y, (*shape, *y.shape[1:])), results)

    return vectorized


@operation
def stop_gradient(variable: Array) -> Array:
    """The value of an array, as a constant for derivatives.

    Args:
        variable: An array.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import grad
        >>> float(grad(lambda x: x * stop_gradient(x))(np.asarray(3.0)))
        3.0
    """
    return autodiff.stop_gradient(variable)


@operation
def custom_gradient(f: Function) -> Function:
    """Declare a function by its value and its gradient.

    Args:
        f: `f(*args)` returns `(value, grad)`; `grad(*args, upstream=g)` or `grad(g)` returns the gradient of each
            argument, for the gradient `g` of the value.

    Example:
        >>> from portanet import ops
        >>> from portanet.autodiff import grad
        >>> clipped = custom_gradient(lambda x: (x, lambda *args, upstream: ops.clip(upstream, -1, 1)))
        >>> grad(lambda x: clipped(x) * 5)(ops.array(1.0))
        np.float32(1.0)
    """

    def declared(*args: Any) -> Any:
        value, gradient = f(*args)
        named = "upstream" in inspect.signature(gradient).parameters

        def pullback(g: Any) -> Any:
            return _tuple(gradient(*args, upstream=g) if named else gradient(g))

        return value, pullback

    function = custom_vjp(declared)
    return lambda *args: function(*(as_array(x) for x in args))


@operation
def jvp(fun: Function, primals: Any, tangents: Any, has_aux: bool = False) -> Any:
    """The value of a function and its derivative along tangents.

    Args:
        fun: The function.
        primals: A list or tuple of its arguments.
        tangents: As many arrays.
        has_aux: Whether the function returns `(value, auxiliary)`.

    Returns:
        The value and its derivative; and the auxiliary output, if there is one.

    Example:
        >>> jvp(lambda x: x * x, (3.0,), (1.0,))
        (np.float32(9.0), np.float32(6.0))
    """
    points, directions = (tuple(as_array(x) for x in xs) for xs in (primals, tangents))
    return autodiff.jvp(fun, points, directions, has_aux)
