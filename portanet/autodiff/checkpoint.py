"""Recompute instead of store."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

from portanet.autodiff import boundary, tracing
from portanet.autodiff.custom import bare
from portanet.autodiff.namespace import array_namespace, lift
from portanet.autodiff.traced import Trace, TracedArray
from portanet.autodiff.tracing import innermost
from portanet.autodiff.transforms import jvp, vjp
from portanet.tree import tree_leaves, tree_map


def checkpoint(f: Callable[..., Any]) -> Callable[..., Any]:
    """A function with the same values and derivatives as `f` that stores its arguments alone.

    What happens inside `f` is computed a second time when the reverse sweep comes to it, so the memory of a deep chain
    falls to that of its links at the cost of one more forward pass. `f` must give the same result for the same
    arguments (draw random numbers from a key that it is given), and gets every array that it differentiates as an
    argument, alone or in a tree.

    Raises:
        TraceError: `f` closes over a traced array, whose derivative would be lost.

    Example:
        >>> import numpy as np
        >>> from portanet.autodiff import checkpoint, grad
        >>> block = checkpoint(lambda x: x * x * x)
        >>> float(grad(lambda x: block(block(x)))(np.asarray(1.0)))
        9.0
    """
    name = getattr(f, "__name__", "checkpoint")

    @functools.wraps(f)
    def function(*args: Any, **kwargs: Any) -> Any:
        tree = (args, kwargs)
        leaves = tree_leaves(tree)
        trace, _ = innermost(leaves)
        if trace is None:
            out = f(*args, **kwargs)
            for leaf in tree_leaves(out):
                bare(None, name, leaf)
            return out
        xp = array_namespace(*(x for x in leaves if type(x) is TracedArray))
        values, links = _split(trace, leaves)

        def rerun(*chosen: Any) -> Any:
            """`f` with new values for the arrays that the trace follows."""
            changed = dict(zip(links, chosen, strict=True))
            filled = iter([changed.get(i, value) for i, value in enumerate(values)])
            again_args, again_kwargs = tree_map(lambda _: next(filled), tree)
            return f(*again_args, **again_kwargs)

        rerun.__name__ = name
        followed = [values[i] for i in links]
        if trace.forward:
            # Nothing is stored in forward mode; an enclosing reverse trace stores values and tangents alone.
            pushed = checkpoint(lambda xs, ts: jvp(lambda *ys: _smooth(rerun(*ys)), xs, ts, has_aux=True))
            primals, tangents, (out, places) = pushed(followed, list(links.values()))
            smooth = {
                place: tracing.push_forward(xp, trace, name, boundary.plain(value), boundary.plain(t))
                for place, value, t in zip(places, primals, tangents, strict=True)
            }
            rest = [lift(boundary.plain(x)) for x in tree_leaves(out)]
            joined = iter([smooth.get(i, x) for i, x in enumerate(rest)])
            return tree_map(lambda _: next(joined), out)
        out = checkpoint(rerun)(*followed) if any(type(x) is TracedArray for x in followed) else rerun(*followed)
        results = [bare(trace, name, leaf) for leaf in tree_leaves(out)]

        def pull(gs: list[Any]) -> tuple[Any, ...]:
            _, pullback, (_, places) = vjp(lambda *xs: _smooth(rerun(*xs)), *followed, has_aux=True)
            wanted = [boundary.zeros_like(results[i]) if gs[i] is None else gs[i] for i in places]
            grads: tuple[Any, ...] = pullback(wanted)
            return grads

        recorded: Iterator[Any] = iter(tracing.record_many(xp, trace, name, results, tuple(links.values()), pull))
        return tree_map(lambda _: next(recorded), out)

    return function


def _split(trace: Trace, leaves: list[Any]) -> tuple[list[Any], dict[int, Any]]:
    """Values with the wrappers of `trace` and of constants taken off, and the links of the arrays it follows."""
    trace.require_alive()
    links = {i: x._link for i, x in enumerate(leaves) if boundary.belongs(trace, x)}
    values = [x._value if i in links else boundary.plain(x) for i, x in enumerate(leaves)]
    if any(type(v) is TracedArray for v in values):
        values = [lift(v) for v in values]
    return values, links


def _smooth(out: Any) -> tuple[list[Any], tuple[Any, list[int]]]:
    """The leaves of a result that have derivatives; then the whole result, and their places in it."""
    leaves = tree_leaves(out)
    places = [i for i, x in enumerate(leaves) if type(x) is TracedArray and x._trace is not None]
    return [leaves[i] for i in places], (out, places)
