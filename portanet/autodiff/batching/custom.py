"""Functions with derivatives of their own under `vmap`: the derivative is batched like the value."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

from portanet.autodiff.batching.array import BatchedArray, Level
from portanet.autodiff.batching.transform import batch, unbatch, whole
from portanet.autodiff.boundary import plain
from portanet.autodiff.namespace import array_namespace, lift

Declared = Callable[..., tuple[Any, Callable[..., Any]]]


def split(level: Level, args: Sequence[Any]) -> tuple[list[Any], list[bool]]:
    """The arguments one level further out, and which of them have a batch axis."""
    values, batched = [], []
    for a in args:
        value = unbatch(a, level)
        batched.append(value is not None)
        value = a if value is None else value
        values.append(lift(value) if isinstance(value, BatchedArray) else value)
    return values, batched


def with_level(f: Declared, level: Level, batched: list[bool], reverse: bool) -> Declared:
    """The declaration of `f` for a whole batch, as arrays with the batch axis first."""
    size = level.size

    @functools.wraps(f)
    def declared(*values: Any, **options: Any) -> tuple[Any, Callable[..., Any]]:
        inside = Level(size)

        def opened(x: Any) -> Any:
            return None if x is None else batch(x, inside)

        def each(x: Any) -> Any:
            return whole(x, inside)

        def summed(x: Any) -> Any:
            """The cotangent of an argument that all examples share."""
            value = unbatch(x, inside)
            return plain(x) * size if value is None else array_namespace(lift(value)).sum(lift(value), axis=0)

        results, derivative = f(*(opened(v) if b else lift(v) for v, b in zip(values, batched, strict=True)), **options)

        def pullback(g: Any) -> tuple[Any, ...]:
            grads = derivative(tuple(map(opened, g)) if isinstance(g, tuple) else opened(g))
            return tuple(functools.partial(cotangent, grad, b) for grad, b in zip(grads, batched, strict=True))

        def cotangent(grad: Any, b: bool) -> Any:
            grad = grad() if callable(grad) else grad
            return None if grad is None else plain((each if b else summed)(grad))

        def pushforward(*tangents: Any) -> Any:
            pushed = derivative(
                *(opened(t) if b or t is None else lift(t) for t, b in zip(tangents, batched, strict=True))
            )
            return tuple(None if t is None else each(t) for t in pushed) if isinstance(pushed, tuple) else each(pushed)

        out = tuple(map(each, results)) if isinstance(results, tuple) else each(results)
        return out, pullback if reverse else pushforward

    if hasattr(declared, "definition"):
        del declared.definition
    return declared


def closed(level: Level, out: Any) -> Any:
    """Results with the batch axis first as arrays of the level."""
    return tuple(batch(x, level) for x in out) if isinstance(out, tuple) else batch(out, level)


def row_by_row(op: Callable[..., Any], level: Level, args: Sequence[Any], options: dict[str, Any]) -> Any:
    """An op whose function only computes with plain arrays, once per example."""
    values, batched = split(level, args)

    if level.size == 0:
        like = [
            array_namespace(v).zeros(v.shape[1:], dtype=v.dtype) if b else v
            for v, b in zip(values, batched, strict=True)
        ]
        out = op(*like, **options)
        parts = [out] if not isinstance(out, tuple) else list(out)
        empty = [array_namespace(p).zeros((0, *p.shape), dtype=p.dtype) for p in parts]
        return closed(level, tuple(empty) if isinstance(out, tuple) else empty[0])
    rows = [
        op(*(v[(i, ...)] if b else v for v, b in zip(values, batched, strict=True)), **options)
        for i in range(level.size)
    ]
    if isinstance(rows[0], tuple):
        return closed(level, tuple(_stacked(parts) for parts in zip(*rows, strict=True)))
    return closed(level, _stacked(rows))


def _stacked(parts: Sequence[Any]) -> Any:
    return array_namespace(*parts).stack(list(parts), axis=0)
