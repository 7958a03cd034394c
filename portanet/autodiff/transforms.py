"""From a function to its derivatives: grad, value_and_grad, vjp and jvp, in any nesting."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from portanet.autodiff.namespace import differentiable_namespace, lift
from portanet.autodiff.tape import pull_back
from portanet.autodiff.traced import Node, Trace, TracedArray
from portanet.autodiff.tree import tree_items, tree_leaves, tree_map
from portanet.backends import Array, get_backend, raw_namespace

Function = Callable[..., Any]


def grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """The gradient of a scalar-valued function.

    Args:
        f: A function of arrays, written against the array API standard, that returns a scalar (a 0-d array).
        argnums: Which positional arguments to differentiate with respect to; each a floating-point array or a tree
            (dict, list, tuple, dataclass) of them.
        has_aux: Whether `f` returns `(value, anything else)`.

    Returns:
        A function of the same arguments that returns the gradient, with the structure, shapes and dtypes of the
        argument (a tuple of them for several argnums); with `has_aux`, `(gradient, anything else)`. For a complex
        argument z = x + iy it is df/dx - i df/dy, as in JAX: descend along its conjugate.

    Raises:
        TypeError: An argument is not floating-point, or `f` does not return a scalar; the message names it.

    Example:
        >>> import numpy as np
        >>> grad(lambda x: (x**3).__array_namespace__().sum(x**3))(np.asarray([1.0, 2.0]))
        array([ 3., 12.])
    """
    both = value_and_grad(f, argnums, has_aux)

    @functools.wraps(f)
    def gradient(*args: Any, **kwargs: Any) -> Any:
        value, slope = both(*args, **kwargs)
        return (slope, value[1]) if has_aux else slope

    return gradient


def value_and_grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """The value of a scalar function together with its gradient, at the cost of one forward and one reverse sweep.

    Arguments and errors are those of `grad`; the result is `(value, gradient)`, with `has_aux`
    `((value, anything else), gradient)`.

    Example:
        >>> import numpy as np
        >>> value, slope = value_and_grad(lambda x: x * x)(np.asarray(3.0))
        >>> float(value), float(slope)
        (9.0, 6.0)
    """
    several = not isinstance(argnums, int)
    chosen = tuple(argnums) if isinstance(argnums, Sequence) else (argnums,)

    @functools.wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        for n in chosen:
            if not -len(args) <= n < len(args):
                raise TypeError(
                    f"argnums={argnums} names positional argument {n}, but the function got {len(args)} positional "
                    "arguments; pass the arguments to differentiate by position."
                )
        wanted = {n % len(args) for n in chosen}
        trace = Trace()
        opened = _open(trace, {i: args[i] for i in wanted}, _start_reverse)
        call = [opened[i] if i in wanted else tree_map(lift, a) for i, a in enumerate(args)]
        out, aux = _call(trace, f, call, {k: tree_map(lift, a) for k, a in kwargs.items()}, has_aux)
        _require_scalar(out)
        inputs = [opened[n % len(args)] for n in chosen]
        grads = _pull(trace, [(out, None)], inputs)
        value = _close(trace, out)
        slopes = tuple(grads) if several else grads[0]
        return ((value, _close(trace, aux)), slopes) if has_aux else (value, slopes)

    return function


def vjp(f: Function, *primals: Any, has_aux: bool = False) -> tuple[Any, ...]:
    """The value of `f` at `primals`, and the function that pulls cotangents of the value back to the primals.

    Args:
        f: A function of arrays (or trees of them) that returns an array or a tree of arrays.
        primals: Its arguments: floating-point arrays or trees of them.
        has_aux: Whether `f` returns `(value, anything else)`; then the result is `(value, pullback, anything else)`.

    Returns:
        `(value, pullback)`; `pullback(cotangent, retain=False)` gives a tuple with one entry for each primal. It frees
        what was recorded as it goes; to call it again, pass `retain=True` in every call but the last.

    Example:
        >>> import numpy as np
        >>> value, pullback = vjp(lambda x, y: x * y, np.asarray([1.0, 2.0]), np.asarray([3.0, 4.0]))
        >>> pullback(np.asarray([1.0, 0.0]))
        (array([3., 0.]), array([1., 0.]))
    """
    trace = Trace()
    opened = _open(trace, dict(enumerate(primals)), _start_reverse)
    inputs = [opened[i] for i in range(len(primals))]
    out, aux = _call(trace, f, inputs, {}, has_aux)

    def pullback(cotangent: Any, retain: bool = False) -> tuple[Any, ...]:
        pairs: list[tuple[Any, Any]] = []
        tree_map(lambda o, g: pairs.append((o, g)), out, cotangent)
        return tuple(_pull(trace, pairs, inputs, retain))

    value = _close(trace, out)
    return (value, pullback, _close(trace, aux)) if has_aux else (value, pullback)


def jvp(f: Function, primals: Sequence[Any], tangents: Sequence[Any], has_aux: bool = False) -> tuple[Any, ...]:
    """The value of `f` and its derivative along `tangents`, in one forward pass.

    Args:
        f: A function of arrays (or trees of them) that returns an array or a tree of arrays.
        primals: Its arguments: floating-point arrays or trees of them.
        tangents: A direction for each, of the same structure, shapes and dtypes.
        has_aux: Whether `f` returns `(value, anything else)`; then the result is `(value, tangent, anything else)`.

    Returns:
        `(value, tangent)`.

    Example:
        >>> import numpy as np
        >>> value, tangent = jvp(lambda x: x**2, (np.asarray(3.0),), (np.asarray(1.0),))
        >>> float(value), float(tangent)
        (9.0, 6.0)
    """
    if len(primals) != len(tangents):
        raise TypeError(
            "jvp needs one tangent for each primal. "
            f"Received: {len(primals)} primals and {len(tangents)} tangents"
        )
    trace = Trace(forward=True)
    directions = iter(tree_leaves(list(tangents)))

    def start(trace: Trace, x: Any, xp: Any) -> TracedArray:
        t = _plain(next(directions))
        if not hasattr(t, "dtype"):
            t = xp.raw.asarray(t, dtype=x.dtype, device=xp.device_of(x))
        if tuple(t.shape) != tuple(x.shape) or t.dtype != x.dtype:
            raise TypeError(
                f"A tangent must have the shape and dtype of its primal, {tuple(x.shape)} {x.dtype}. "
                f"Received: {tuple(t.shape)} {t.dtype}"
            )
        return TracedArray(x, trace, t, xp)

    opened = _open(trace, dict(enumerate(primals)), start)
    out, aux = _call(trace, f, [opened[i] for i in range(len(primals))], {}, has_aux)
    tangent = tree_map(lambda x: x._link if _belongs(trace, x) else _zeros_like(x), out)
    value = _close(trace, out)
    return (value, tangent, _close(trace, aux)) if has_aux else (value, tangent)


def stop_gradient(x: Any) -> Any:
    """The value of an array, or of every array in a tree, as a constant: its derivative is zero.

    Example:
        >>> import numpy as np
        >>> float(grad(lambda x: x * stop_gradient(x))(np.asarray(3.0)))
        3.0
    """
    return tree_map(lambda leaf: leaf._xp.stop_gradient(leaf) if type(leaf) is TracedArray else leaf, x)


# Entering and leaving a trace


def _plain(x: Any) -> Any:
    """An array without the wrapper of a constant."""
    return x._value if type(x) is TracedArray and x._trace is None else x


def _belongs(trace: Trace, x: Any) -> bool:
    return type(x) is TracedArray and x._trace is trace


def _zeros_like(x: Any) -> Any:
    x = _plain(x)
    while type(x) is TracedArray:
        x = x._value
    return raw_namespace(x).zeros_like(x)


def _start_reverse(trace: Trace, x: Any, xp: Any) -> TracedArray:
    return TracedArray(x, trace, Node("input", None, None), xp)


def _open(trace: Trace, args: dict[int, Any], start: Callable[[Trace, Any, Any], TracedArray]) -> dict[int, Any]:
    """Wrap every leaf of the arguments; Python floats become arrays beside the others."""
    arrays = [x for x in tree_leaves(list(args.values())) if hasattr(x, "dtype") and hasattr(x, "shape")]

    def leaf(number: int, path: str, x: Any) -> TracedArray:
        if type(x) is TracedArray:
            xp = x._xp
            x = _plain(x)
        elif isinstance(x, float):
            backend = get_backend()
            like = arrays[0] if arrays else None
            xp = like._xp if type(like) is TracedArray else differentiable_namespace(
                backend.xp if like is None else raw_namespace(like)
            )
            dtype, device = (backend.dtype, backend.device) if like is None else (like.dtype, xp.device_of(like))
            x = xp.raw.asarray(x, dtype=dtype, device=device)
        elif isinstance(x, (bool, int)):
            raise TypeError(_not_floating(number, path, type(x).__name__))
        else:
            xp = differentiable_namespace(raw_namespace(x))
        if not xp.isdtype(x.dtype, ("real floating", "complex floating")):
            raise TypeError(_not_floating(number, path, x.dtype))
        return start(trace, x, xp)

    opened = {}
    for number, arg in args.items():
        paths = iter([path for path, _ in tree_items(arg)])
        opened[number] = tree_map(lambda x, number=number, paths=paths: leaf(number, next(paths), x), arg)
    return opened


def _not_floating(number: int, path: str, dtype: Any) -> str:
    return (
        f"Only floating-point arrays can be differentiated with respect to. Convert it (xp.astype), or leave it out of "
        f"argnums. Received: argument {number}{path} with dtype {dtype}"
    )


def _call(trace: Trace, f: Function, args: list[Any], kwargs: dict[str, Any], has_aux: bool) -> tuple[Any, Any]:
    try:
        out = f(*args, **kwargs)
    finally:
        trace.alive = False
    if not has_aux:
        return out, None
    if not (isinstance(out, tuple) and len(out) == 2):
        raise TypeError(f"With has_aux=True the function must return (value, anything else). Received: {type(out)}")
    return out


def _require_scalar(out: Any) -> None:
    if not hasattr(out, "shape"):
        raise TypeError(f"The function to differentiate must return a 0-d array. Received: {type(out).__name__}")
    if tuple(out.shape) != ():
        raise TypeError(
            "grad needs a function that returns a scalar: take the sum or mean, or use vjp or jacobian. "
            f"Received: an output of shape {tuple(out.shape)}"
        )
    xp = out._xp if type(out) is TracedArray else differentiable_namespace(raw_namespace(out))
    if not xp.isdtype(out.dtype, "real floating"):
        raise TypeError(
            "grad needs a function that returns a real floating-point number; for complex results use vjp or jvp. "
            f"Received: an output of dtype {out.dtype}"
        )


def _close(trace: Trace, tree: Any) -> Any:
    """Take this trace's wrappers off a result; constants too."""
    return tree_map(lambda x: x._value if type(x) is TracedArray and x._trace in (trace, None) else x, tree)


def _pull(trace: Trace, pairs: list[tuple[Any, Any]], inputs: list[Any], retain: bool = False) -> list[Any]:
    """Cotangents of the inputs from pairs (output, its cotangent); a cotangent of None means 1."""
    seeds = []
    for out, g in pairs:
        if not _belongs(trace, out):
            continue
        if g is None:
            value = out._value
            while type(value) is TracedArray:
                value = value._value
            g = raw_namespace(value).ones_like(value)
        else:
            g = _plain(g)
            if not hasattr(g, "dtype"):
                g = out._xp.raw.asarray(g, dtype=out.dtype, device=out.device)
            if tuple(g.shape) != tuple(out.shape) or g.dtype != out.dtype:
                raise TypeError(
                    f"A cotangent must have the shape and dtype of its output, {tuple(out.shape)} {out.dtype}. "
                    f"Received: {tuple(g.shape)} {g.dtype}"
                )
        seeds.append((out._link, g))
    found = pull_back(seeds, retain)

    def cotangent(x: TracedArray) -> Any:
        g = found.get(x._link)
        return _zeros_like(x._value) if g is None else g

    return [tree_map(cotangent, tree) for tree in inputs]
