"""Recompute instead of storing."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from portanet import checks
from portanet.autodiff import boundary, tracing
from portanet.autodiff.batching.array import innermost_level, tangent_value
from portanet.autodiff.custom import bare
from portanet.autodiff.namespace import array_namespace, lift
from portanet.autodiff.traced import Trace, TracedArray
from portanet.autodiff.tracing import innermost
from portanet.autodiff.transforms import jvp, vjp
from portanet.tree import tree_leaves, tree_map


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function with the same values and derivatives as `f` that stores only its arguments.

    `f` is computed a second time when the reverse pass reaches it, so a deep chain stores only the inputs of its links,
    at the cost of one more forward pass. `f` must return the same result for the same arguments (random numbers from
    a key among them), and must get every array to differentiate as an argument, alone or in a tree.

    Raises:
        TraceError: `f` closes over a traced array, whose derivative would be lost.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import checkpoint, grad
        >>> block = checkpoint(lambda x: x * x * x)
        >>> float(grad(lambda x: block(block(x)))(np.asarray(1.0)))
        9.0
    """
    checks.function("f", f, "checkpoint")
    name = getattr(f, "__name__", "checkpoint")

    @functools.wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        tree = (args, kwargs)
        leaves = tree_leaves(tree)
        trace, _ = innermost(leaves)
        level = innermost_level(leaves)
        if level is not None and (trace is None or level.serial > trace.serial):
            return f(*args, **kwargs)
        if trace is None:
            out = f(*args, **kwargs)
            for leaf in tree_leaves(out):
                bare(None, name, leaf)
            return out
        xp = array_namespace(*(x for x in leaves if type(x) is TracedArray))
        values, links = _split(trace, leaves)

        def rerun(*xs: Any) -> Any:
            """`f` with new values for the arrays recorded in the trace."""
            replaced = dict(zip(links, xs, strict=True))
            new_leaves = iter([replaced.get(i, value) for i, value in enumerate(values)])
            new_args, new_kwargs = tree_map(lambda _: next(new_leaves), tree)
            return f(*new_args, **new_kwargs)

        rerun.__name__ = name
        inputs = [values[i] for i in links]
        if trace.forward:
            # Nothing is stored in forward mode; an enclosing reverse trace stores only values and tangents.
            pushed = checkpoint(lambda xs, ts: jvp(lambda *ys: _differentiable(rerun(*ys)), xs, ts, has_aux=True))
            outputs, tangents, (out, positions) = pushed(inputs, list(links.values()))
            traced = {
                i: tracing.push_forward(xp, trace, name, boundary.plain(y), tangent_value(t))
                for i, y, t in zip(positions, outputs, tangents, strict=True)
            }
            constants = [lift(boundary.plain(x)) for x in tree_leaves(out)]
            merged = iter([traced.get(i, x) for i, x in enumerate(constants)])
            return tree_map(lambda _: next(merged), out)
        out = checkpoint(rerun)(*inputs) if any(type(x) is TracedArray for x in inputs) else rerun(*inputs)
        results = [bare(trace, name, leaf) for leaf in tree_leaves(out)]

        def pull(gs: list[Any]) -> tuple[Any, ...]:
            _, pullback, (_, positions) = vjp(lambda *xs: _differentiable(rerun(*xs)), *inputs, has_aux=True)
            cotangents = [boundary.zeros_like(results[i]) if gs[i] is None else gs[i] for i in positions]
            grads: tuple[Any, ...] = pullback(cotangents)
            return grads

        recorded: Iterator[Any] = iter(tracing.record_many(xp, trace, name, results, tuple(links.values()), pull))
        return tree_map(lambda _: next(recorded), out)

    return function


def _split(trace: Trace, leaves: list[Any]) -> tuple[list[Any], dict[int, Any]]:
    """The leaves without wrappers of `trace` and of constants, and the links of those in `trace`."""
    trace.require_alive()
    links = {i: x._link for i, x in enumerate(leaves) if boundary.belongs(trace, x)}
    values = [x._value if i in links else boundary.plain(x) for i, x in enumerate(leaves)]
    if any(type(v) is TracedArray for v in values):
        values = [lift(v) for v in values]
    return values, links


def _differentiable(out: Any) -> tuple[list[Any], tuple[Any, list[int]]]:
    """The differentiable leaves of a result; then the whole result and their positions in it."""
    leaves = tree_leaves(out)
    positions = [i for i, x in enumerate(leaves) if type(x) is TracedArray and x._trace is not None]
    return [leaves[i] for i in positions], (out, positions)
