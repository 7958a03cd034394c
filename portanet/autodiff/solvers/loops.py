"""Loops whose reverse pass stores a part of the steps and computes the others again: `scan`, `while_loop`, `fori_loop`.

Steps are grouped into segments of about the square root of their number. The forward pass stores the state between
segments; the reverse pass computes one segment at a time again. So the memory is that of about 2 sqrt(n) steps, for the
cost of one more forward pass. A function may close over traced arrays.

Source: A. Griewank, Achieving logarithmic growth of temporal and spatial complexity in reverse automatic
differentiation (1992).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from portanet import checks
from portanet.autodiff import boundary
from portanet.autodiff.batching.array import storage
from portanet.autodiff.checkpoint import checkpoint
from portanet.autodiff.namespace import array_namespace, lift
from portanet.autodiff.solvers.batches import is_batched
from portanet.autodiff.solvers.vectors import numeric, on_host_now, same_form
from portanet.autodiff.tracing import SCALARS, is_array
from portanet.backends import raw_namespace
from portanet.tree import tree_items, tree_leaves, tree_map


def scan(
    f: Callable[[Any, Any], tuple[Any, Any]],
    init: Any,
    xs: Any = None,
    length: int | None = None,
    reverse: bool = False,
) -> tuple[Any, Any]:
    """Apply a step along the first axis of arrays, passing on a carry and collecting outputs.

    The reverse pass stores the carry of about every sqrt(n)th step, and computes the others again.

    Source: the signature is that of `jax.lax.scan`, without options of its compiler.

    Args:
        f: `f(carry, x)` returns `(carry, y)`: trees of arrays, None for none. It must return the same result for the
            same arguments.
        init: The first carry: an array or a tree of arrays. Each carry has its structure, shapes and dtypes.
        xs: An array or a tree of arrays with the same first axis, one element for each step; None for none.
        length: Number of steps; needed if `xs` is None.
        reverse: Whether to go from the last step to the first.

    Returns:
        `(carry, ys)`: the last carry, and the outputs of all steps, stacked along a new first axis in the order of
        `xs`.

    Raises:
        ValueError: The arrays of `xs` differ in length, or a carry differs from `init` in structure, shape or dtype.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import grad, scan
        >>> def final(rate):
        ...     step = lambda balance, payment: (balance * rate + payment, balance)
        ...     return scan(step, np.asarray(0.0), np.asarray([1.0, 1.0, 1.0]))[0]
        >>> float(final(np.asarray(2.0))), float(grad(final)(np.asarray(2.0)))  # r**2 + r + 1
        (7.0, 5.0)
    """
    checks.function("f", f, "scan")
    checks.boolean("reverse", reverse, "scan")
    numeric("init", init, "scan")
    numeric("xs", xs, "scan")
    count = _length(xs, length)
    if count == 0:
        return init, _no_outputs(f, init, xs)

    def step(carry: Any, x: Any) -> tuple[Any, Any]:
        result = f(carry, x)
        if not (isinstance(result, tuple) and len(result) == 2):
            raise TypeError(f"Argument `f` of scan must return (carry, y). Received: {type(result).__name__}")
        return result

    columns = [array_namespace(x).unstack(x) for x in tree_leaves(xs)]
    rows = [_row(xs, [column[i] for column in columns]) for i in range(count)]
    carry, outputs = chain(step, init, rows[::-1] if reverse else rows, "scan")
    ordered = outputs[::-1] if reverse else outputs
    return carry, tree_map(lambda *ys: _stacked(ys), ordered[0], *ordered[1:])


def fori_loop(lower: int, upper: int, body_fun: Callable[[int, Any], Any], init_val: Any) -> Any:
    """Apply `value = body_fun(i, value)` for i from `lower` to `upper`, which is not included.

    The reverse pass stores about every sqrt(n)th value, and computes the others again.

    Source: the signature is that of `jax.lax.fori_loop`, without options of its compiler.

    Args:
        lower: The first i.
        upper: The first i that is too large.
        body_fun: `body_fun(i, value)` returns the new value. It must return the same for the same arguments.
        init_val: The first value: an array or a tree of arrays. Each value has its structure, shapes and dtypes.

    Returns:
        The last value.

    Raises:
        ValueError: A value differs from `init_val` in structure, shape or dtype.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import fori_loop, grad
        >>> power = lambda x: fori_loop(0, 5, lambda i, y: y * x, np.asarray(1.0))
        >>> float(power(np.asarray(2.0))), float(grad(power)(np.asarray(2.0)))
        (32.0, 80.0)
    """
    checks.function("body_fun", body_fun, "fori_loop")
    lower = checks.integer("lower", lower, "fori_loop")
    upper = checks.integer("upper", upper, "fori_loop")
    numeric("init_val", init_val, "fori_loop")
    if upper <= lower:
        return init_val
    return chain(lambda value, i: (body_fun(i, value), None), init_val, range(lower, upper), "fori_loop")[0]


def while_loop(cond_fun: Callable[[Any], Any], body_fun: Callable[[Any], Any], init_val: Any) -> Any:
    """Apply `value = body_fun(value)` while `cond_fun(value)`.

    The derivative is that of the steps that were taken. The reverse pass stores about sqrt(2 n) of the n values, and
    computes the others again. Where the condition differs between the examples of `vmap`, all go on until the last has
    ended, and the values of those that have ended stay.

    Source: the signature is that of `jax.lax.while_loop`, which has no reverse mode.

    Args:
        cond_fun: Returns whether to go on: a boolean, or a 0-d array.
        body_fun: Returns the new value. It must return the same for the same argument.
        init_val: The first value: an array or a tree of arrays. Each value has its structure, shapes and dtypes.

    Returns:
        The last value.

    Raises:
        ValueError: A value differs from `init_val` in structure, shape or dtype.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import grad, while_loop
        >>> doubled = lambda x: while_loop(lambda y: y < 100, lambda y: 2 * y, x)
        >>> float(doubled(np.asarray(3.0))), float(grad(doubled)(np.asarray(3.0)))
        (192.0, 64.0)
    """
    checks.function("cond_fun", cond_fun, "while_loop")
    checks.function("body_fun", body_fun, "while_loop")
    numeric("init_val", init_val, "while_loop")

    def after(value: Any) -> Any:
        new = body_fun(value)
        remedy = "Bring `init_val` to the form of later ones, or cast and reshape them."
        same_form("The value of argument `body_fun`", new, value, "while_loop", remedy)
        return new

    @checkpoint
    def segment(value: Any, latest: Any, most: int) -> tuple[Any, Any, bool]:
        for _ in range(most):
            condition = cond_fun(value)
            if not _goes_on(condition):
                return value, latest, True
            if not is_batched(condition):
                value = after(value)
                continue
            # An example that has ended computes its last step again: of its final value the step might not be finite,
            # and 0 times its derivative NaN.
            value = tree_map(lambda x, c=condition: _array(x, c, init_val), value)
            latest = _chosen(condition, value, value if latest is None else latest)
            value = _chosen(condition, after(latest), value)
        return value, latest, False

    value, latest, most, ended = init_val, None, 0, False
    while not ended:
        most += 1  # segments become longer, so that their number and their length grow alike
        value, latest, ended = segment(value, latest, most)
    return value


def chain(
    step: Callable[[Any, Any], tuple[Any, Any]], init: Any, items: Sequence[Any], of: str
) -> tuple[Any, list[Any]]:
    """The last carry and the outputs of a known number of steps, in segments that are computed again."""
    what, first = {
        "scan": ("The carry of argument `f`", "init"),
        "fori_loop": ("The value of argument `body_fun`", "init_val"),
    }.get(of, ("The state", "y0"))
    remedy = f"Bring `{first}` to the form of later ones, or cast and reshape them."

    @checkpoint
    def segment(carry: Any, items: Sequence[Any]) -> tuple[Any, list[Any]]:
        outputs = []
        for item in items:
            new, y = step(carry, item)
            same_form(what, new, init, of, remedy)
            carry = new
            outputs.append(y)
        return carry, outputs

    size = math.isqrt(len(items) - 1) + 1
    carry, outputs = init, []
    for start in range(0, len(items), size):
        carry, part = segment(carry, list(items[start : start + size]))
        outputs += part
        if of == "scan":
            for y in part:
                same_form("The output y of argument `f`", y, outputs[0], of, "Outputs of all steps are stacked.")
    return carry, outputs


def _array(x: Any, condition: Any, others: Any) -> Any:
    """A number of a value as an array, which differs between examples."""
    if type(x) not in SCALARS:
        return x
    if type(x) is float:
        return lift(boundary.like([y for y in (*tree_leaves(others), storage(condition)) if is_array(y)], x))
    return array_namespace(condition).asarray(x, device=condition.device)


def _chosen(condition: Any, value: Any, other: Any) -> Any:
    """The leaves of one tree where a condition holds, else those of another."""
    return tree_map(lambda x, y: array_namespace(condition).where(condition, x, y), value, other)


def _goes_on(condition: Any) -> bool:
    """Whether a condition holds, for any example of vmap."""
    if not isinstance(condition, bool) and not (is_array(condition) and not condition.shape):
        what = f"shape {tuple(condition.shape)}" if is_array(condition) else type(condition).__name__
        raise TypeError(
            "Argument `cond_fun` of while_loop must return a boolean or an array of shape (), such as xp.any(x > 0). "
            f"Received: {what}"
        )
    every = storage(condition)
    if is_array(every):
        on_host_now(every)
    return bool(raw_namespace(every).any(every)) if is_batched(condition) else bool(condition)


def _length(xs: Any, length: int | None) -> int:
    sizes = {}
    for path, x in tree_items(xs):
        if not is_array(x) or not x.shape:
            what = f"shape {tuple(x.shape)}" if is_array(x) else f"type {type(x).__name__}"
            raise TypeError(
                "Argument `xs` of scan must be an array with a first axis for the steps, or a tree of them. "
                f"Received: xs{path} of {what}"
            )
        sizes[f"xs{path}"] = int(x.shape[0])
    if length is not None:
        sizes["length"] = checks.integer("length", length, "scan", least=0)
    if len(set(sizes.values())) != 1:
        received = ", ".join(f"{name} of {size}" for name, size in sizes.items()) or "neither xs nor length"
        raise ValueError(
            "Arguments `xs` and `length` of scan must give one number of steps, the size of the first axis. "
            f"Received: {received}"
        )
    return next(iter(sizes.values()))


def _row(xs: Any, leaves: list[Any]) -> Any:
    remaining = iter(leaves)
    return tree_map(lambda _: next(remaining), xs)


def _stacked(ys: Sequence[Any]) -> Any:
    if not all(is_array(y) for y in ys):
        raise TypeError(
            "Argument `f` of scan must return (carry, y) with arrays, or trees of them, in y. "
            f"Received: {next(type(y).__name__ for y in ys if not is_array(y))}"
        )
    return array_namespace(*ys).stack(list(ys))


def _no_outputs(f: Callable[[Any, Any], tuple[Any, Any]], init: Any, xs: Any) -> Any:
    """Outputs of no steps, in the form that a step with zeros has."""
    step = tree_map(lambda x: boundary.zeros(x, tuple(x.shape)[1:]), xs)
    return tree_map(lambda y: boundary.zeros(y, (0, *y.shape)), f(init, step)[1])
