"""First derivatives of a function: grad, value_and_grad, vjp and jvp, nested to any depth."""

from __future__ import annotations

import functools
import inspect
import numbers
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from portanet import checks
from portanet.autodiff import boundary
from portanet.autodiff.batching.array import BatchedArray
from portanet.autodiff.namespace import lift
from portanet.autodiff.traced import Trace, TracedArray, is_traced
from portanet.autodiff.tracing import push_forward
from portanet.tree import tree_leaves, tree_map

Function: TypeAlias = Callable[..., Any]


def grad(
    f: Function,
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    argnames: str | Sequence[str] | None = None,
) -> Function:
    """The gradient of a scalar-valued function.

    Args:
        f: A function of arrays, written against the array API standard, that returns a scalar (a 0-d array).
        argnums: Which positional arguments to differentiate with respect to; each a floating-point array or a tree
            (dict, list, tuple, dataclass) of them.
        has_aux: Whether `f` returns `(value, aux)`.
        argnames: Instead of `argnums`, the names of the arguments, which may then be passed by keyword.

    Returns:
        A function of the same arguments that returns the gradient, with the structure, shapes and dtypes of the
        argument (a tuple of them for several argnums or argnames); with `has_aux`, `(gradient, aux)`. For a complex
        argument z = x + iy it is df/dx - i df/dy, as in JAX: descend along its conjugate.

    Raises:
        TypeError: An argument is not floating-point, or `f` does not return a scalar; the message names it.

    Example:
        >>> import numpy as np
        >>> grad(lambda x: (x**3).__array_namespace__().sum(x**3))(np.asarray([1.0, 2.0]))
        array([ 3., 12.])
        >>> float(grad(lambda x, scale: scale * x, argnames="scale")(2.0, scale=3.0))
        2.0
    """
    checks.function("f", f, "grad")
    checks.boolean("has_aux", has_aux, "grad")
    chosen = chosen_arguments(argnums, argnames, "grad")

    @functools.wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        value, gradient = differentiate(f, chosen, has_aux, args, kwargs)
        return (gradient, value[1]) if has_aux else gradient

    return function


def value_and_grad(
    f: Function,
    argnums: int | Sequence[int] = 0,
    has_aux: bool = False,
    *,
    argnames: str | Sequence[str] | None = None,
) -> Function:
    """The value of a scalar function together with its gradient, at the cost of one forward and one reverse pass.

    Arguments and errors are those of `grad`; the result is `(value, gradient)`, with `has_aux`
    `((value, aux), gradient)`.

    Example:
        >>> import numpy as np
        >>> value, gradient = value_and_grad(lambda x: x * x)(np.asarray(3.0))
        >>> float(value), float(gradient)
        (9.0, 6.0)
    """
    checks.function("f", f, "value_and_grad")
    checks.boolean("has_aux", has_aux, "value_and_grad")
    chosen = chosen_arguments(argnums, argnames, "value_and_grad")

    @functools.wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        return differentiate(f, chosen, has_aux, args, kwargs)

    return function


Chosen: TypeAlias = int | str | Sequence[int] | Sequence[str]
"""The arguments to differentiate with respect to, by position or by name."""


def differentiate(
    f: Function, chosen: Chosen, has_aux: bool, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[Any, Any]:
    """Value and gradient of `f(*args, **kwargs)`; see `value_and_grad`."""
    keys = places(f, chosen, args, kwargs)
    nested = is_traced(args, kwargs)
    trace = Trace()
    opened = boundary.open_arguments({key: at(key, args, kwargs) for key in keys}, boundary.start_reverse(trace), args)
    out, aux = boundary.call(trace, f, *filled(opened, args, kwargs), has_aux)
    boundary.require_scalar(out)
    gradients = boundary.pull(trace, [(out, None)], tuple([opened[key] for key in keys]), nested)
    gradient = gradients[0] if isinstance(chosen, (int, str)) else gradients
    value = boundary.close(trace, out, nested)
    return ((value, boundary.close(trace, aux, nested)), gradient) if has_aux else (value, gradient)


# Arguments are found by position, or by name among the keywords of the call


def chosen_arguments(argnums: Any, argnames: Any, of: str) -> Chosen:
    """`argnames` if given, else `argnums`."""
    if argnames is None:
        several = argnums if isinstance(argnums, (list, tuple)) else (argnums,)
        if any(isinstance(n, str) for n in several):
            raise checks.invalid("argnums", argnums, "an integer or several (names are for `argnames`)", of)
        one = isinstance(argnums, numbers.Integral) and not isinstance(argnums, bool)  # NumPy's integers, too
        position: int | Sequence[int] = int(argnums) if one else argnums
        return position
    names = argnames if isinstance(argnames, str) else tuple(argnames) if isinstance(argnames, (list, tuple)) else ()
    if not names or not all(isinstance(name, str) for name in names):
        raise checks.invalid("argnames", argnames, "the name of an argument, or a list of names", of)
    if argnums != 0:
        raise checks.invalid("argnums", argnums, "left out where `argnames` names the arguments", of)
    return names


def places(f: Function, chosen: Chosen, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[int | str, ...]:
    """The position or the keyword of each chosen argument in this call."""
    names: Any = (chosen,) if isinstance(chosen, str) else chosen
    if isinstance(names, tuple) and names and isinstance(names[0], str):
        return tuple([_place(f, name, args, kwargs) for name in names])
    return positions(names, len(args))


def _place(f: Function, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> int | str:
    if name in kwargs:
        return name
    try:
        parameters = inspect.signature(f).parameters.values()
    except ValueError:  # of some functions written in C
        parameters = {}.values()
    by_position = [p.name for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)][: len(args)]
    if name not in by_position:
        raise TypeError(
            "argnames must name arguments that the call passes; pass the argument also where it has a default. "
            f"Received: argnames={name!r} and a call with the arguments {[*by_position, *kwargs]}"
        )
    return by_position.index(name)


def at(key: int | str, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """The argument at a position or of a name."""
    return kwargs[key] if isinstance(key, str) else args[key]


def filled(
    values: dict[int | str, Any], args: Sequence[Any], kwargs: dict[str, Any]
) -> tuple[list[Any], dict[str, Any]]:
    """Arguments with these values in their places; the others become constants."""
    return (
        [values[i] if i in values else boundary.lift_tree(x) for i, x in enumerate(args)],
        {name: values[name] if name in values else boundary.lift_tree(x) for name, x in kwargs.items()},
    )


def positions(argnums: int | Sequence[int], count: int) -> tuple[int, ...]:
    """The positions in `argnums`, made non-negative."""
    chosen = (argnums,) if type(argnums) is int else checks.integers("argnums", argnums)
    for n in chosen:
        if not -count <= n < count:
            raise TypeError(
                "argnums names positional arguments; pass the arguments to differentiate by position, or name them "
                f"with argnames. Received: argnums={argnums} and {count} positional arguments"
            )
    return tuple(n % count for n in chosen)


def vjp(f: Function, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of `f` at `primals`, and the function that pulls cotangents of the value back to the primals.

    Args:
        f: A function of arrays (or trees of them) that returns an array or a tree of arrays.
        primals: Its arguments: floating-point arrays or trees of them.
        has_aux: Whether `f` returns `(value, aux)`; then the result is `(value, pullback, aux)`.

    Returns:
        `(value, pullback)`; `pullback(cotangent, retain=False)` returns a tuple with one entry per primal. It frees
        the recording as it goes; to call it again, pass `retain=True` in every call but the last.

    Raises:
        TypeError: A primal is not floating-point, or a cotangent has another shape or dtype than its output.

    Example:
        >>> import numpy as np
        >>> value, pullback = vjp(lambda x, y: x * y, np.asarray([1.0, 2.0]), np.asarray([3.0, 4.0]))
        >>> pullback(np.asarray([1.0, 0.0]))
        (array([3., 0.]), array([1., 0.]))
    """
    nested = is_traced(primals)
    trace = Trace()
    opened = boundary.open_arguments(dict(enumerate(primals)), boundary.start_reverse(trace))
    inputs = tuple(opened.values())
    out, aux = boundary.call(trace, f, inputs, {}, has_aux)

    def pullback(cotangent: Any, retain: bool = False) -> tuple[Any, ...]:
        pairs: list[tuple[Any, Any]] = []
        tree_map(lambda o, g: pairs.append((o, g)), out, cotangent)
        grads: tuple[Any, ...] = boundary.pull(trace, pairs, inputs, nested or is_traced(cotangent), retain)
        return grads

    value = boundary.close(trace, out, nested)
    return (value, pullback, boundary.close(trace, aux, nested)) if has_aux else (value, pullback)


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> tuple[Any, ...]:
    """The value of `f` and its derivative along `tangents`, in one forward pass.

    Args:
        f: A function of arrays (or trees of them) that returns an array or a tree of arrays.
        primals: Its arguments: floating-point arrays or trees of them.
        tangents: One per primal, with the same structure, shapes and dtypes.
        has_aux: Whether `f` returns `(value, aux)`; then the result is `(value, tangent, aux)`.

    Returns:
        `(value, tangent)`.

    Raises:
        TypeError: A primal is not floating-point, or a tangent does not match its primal.

    Example:
        >>> import numpy as np
        >>> value, tangent = jvp(lambda x: x**2, (np.asarray(3.0),), (np.asarray(1.0),))
        >>> float(value), float(tangent)
        (9.0, 6.0)
    """
    if len(primals) != len(tangents):
        raise TypeError(
            f"jvp needs one tangent per primal. Received: {len(primals)} primals and {len(tangents)} tangents"
        )
    nested = is_traced(primals, tangents)
    trace = Trace(forward=True)

    def start(x: Any, xp: Any, t: Any) -> TracedArray:
        t = boundary.tangent_like("tangent", x, t)
        mixed = isinstance(x, BatchedArray) != isinstance(t, BatchedArray)
        if type(x) is TracedArray or type(t) is TracedArray or mixed:  # an enclosing trace: both in its namespace
            x, t = lift(x), lift(t)
        return push_forward(xp, trace, "input", x, t)

    opened = boundary.open_arguments(dict(enumerate(primals)), start, tangents=tangents)
    out, aux = boundary.call(trace, f, tuple(opened.values()), {}, has_aux)
    tangent = tree_map(lambda x: x._link if boundary.belongs(trace, x) else boundary.zeros_like(x), out)
    value, tangent = boundary.close(trace, out, nested), boundary.close(trace, tangent, nested)
    return (value, tangent, boundary.close(trace, aux, nested)) if has_aux else (value, tangent)


def linearize(f: Function, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of `f` at `primals`, and its derivative there as a linear function of the tangents.

    `f` runs once. Its recording is pulled back for a cotangent that is left open, which is recorded in turn: the
    transpose of the pullback is the derivative, and costs linear operations alone.

    Args:
        f: A function of arrays (or trees of them) that returns an array or a tree of arrays.
        primals: Its arguments: floating-point arrays or trees of them.
        has_aux: Whether `f` returns `(value, aux)`; then the result is `(value, pushforward, aux)`.

    Returns:
        `(value, pushforward)`; `pushforward(*tangents)`, with one tangent per primal, returns the tangent of the value,
        as `jvp` would. It may be called any number of times.

    Raises:
        TypeError: A primal is not floating-point, or a tangent does not match its primal.

    Example:
        >>> import numpy as np
        >>> value, pushforward = linearize(lambda x: x**2, np.asarray(3.0))
        >>> float(value), float(pushforward(1.0)), float(pushforward(10.0))
        (9.0, 6.0, 60.0)
    """
    checks.function("f", f, "linearize")
    checks.boolean("has_aux", has_aux, "linearize")
    inputs = tuple(boundary.floating_arguments(dict(enumerate(primals)), ()))
    value, pullback, *aux = vjp(f, *inputs, has_aux=has_aux)
    zeros = [boundary.zeros_like(x) for x in tree_leaves(value)]
    open_ = [i for i, x in enumerate(zeros) if boundary.is_floating(x)]

    def completed(parts: Sequence[Any]) -> Any:
        """A tree like the value: parts at its floating-point leaves, zeros at the others."""
        leaves = [*zeros]
        for i, part in zip(open_, parts, strict=True):
            leaves[i] = part
        rest = iter(leaves)
        return tree_map(lambda _: next(rest), value)

    def transposed(*cotangents: Any) -> tuple[Any, ...]:
        gradients: tuple[Any, ...] = pullback(completed(cotangents), retain=True)
        return gradients

    back = vjp(transposed, *[zeros[i] for i in open_])[1]

    def pushforward(*tangents: Any) -> Any:
        if len(tangents) != len(primals):
            raise TypeError(
                "The pushforward of linearize takes one tangent per primal. "
                f"Received: {len(primals)} primals and {len(tangents)} tangents"
            )
        checked = tree_map(lambda x, t: boundary.tangent_like("tangent", x, t), inputs, tangents)
        return completed(back(checked, retain=True))

    return (value, pushforward, *aux)


def stop_gradient(x: Any) -> Any:
    """The value of an array, or of every array in a tree, as a constant: its derivative is zero.

    Example:
        >>> import numpy as np
        >>> float(grad(lambda x: x * stop_gradient(x))(np.asarray(3.0)))
        3.0
    """
    return tree_map(lambda leaf: leaf._xp.stop_gradient(leaf) if type(leaf) is TracedArray else leaf, x)
