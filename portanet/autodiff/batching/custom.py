"""Functions with derivatives of their own under `vmap`: the derivative is batched like the value."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Sequence
from typing import Any

from portanet.autodiff.batching.array import BatchedArray, Level, depends_on, storage
from portanet.autodiff.batching.transform import batch, unbatch, whole
from portanet.autodiff.boundary import plain
from portanet.autodiff.custom import per_argument
from portanet.autodiff.namespace import array_namespace, lift
from portanet.autodiff.traced import TraceError
from portanet.backends import device_of

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


def with_options(f: Declared, count: int, names: Sequence[str], reverse: bool) -> Declared:
    """The declaration of `f` with options as further arguments, which have no derivative."""

    @functools.wraps(f)
    def declared(*args: Any, **options: Any) -> tuple[Any, Callable[..., Any]]:
        options.update(zip(names, args[count:], strict=True))
        result, derivative = f(*args[:count], **options)
        if reverse:
            return result, lambda g: (*derivative(g), *(None for _ in names))
        return result, lambda *tangents: derivative(*tangents[:count])

    return declared


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
            grads = per_argument(grads, f, len(batched))
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


def closed(level: Level, out: Any, name: str) -> Any:
    """Results with the batch axis first as arrays of the level."""
    if isinstance(out, tuple):
        return tuple(closed(level, x, name) for x in out)
    if depends_on(level, out):
        raise TraceError(
            f"{name} closes over an array of the batch that it is called for: pass every batched array as an argument."
        )
    return batch(out, level)


def batched_primitive(
    op: Callable[..., Any],
    level: Level,
    args: Sequence[Any],
    options: dict[str, Any],
    name: str,
    examples: frozenset[int],
) -> Any:
    """An op whose function only computes with plain arrays: at once, or for each element of the batch.

    Args:
        op: The op.
        level: The batch.
        args: Its arrays.
        options: Its arguments by name.
        name: Its name.
        examples: Positions of the arrays whose first axis, as that of the result, is one of examples.
    """
    values, batched = split(level, args)
    names = list(options)
    given, varied = split(level, list(options.values()))
    if not any(varied) and examples.issuperset(i for i, b in enumerate(batched) if b):
        count = next(v.shape[1] for v, b in zip(values, batched, strict=True) if b)
        joined = [_joined(v, batched[i], level.size) if i in examples else v for i, v in enumerate(values)]
        out = op(*joined, **options)
        return closed(level, array_namespace(out).reshape(out, (level.size, count, *out.shape[1:])), name)

    def example(part: Callable[[Any], Any]) -> Any:
        own = [part(v) if b else v for v, b in zip(values, batched, strict=True)]
        return op(*own, **{n: part(v) if b else v for n, v, b in zip(names, given, varied, strict=True)})

    if level.size == 0:
        out = example(lambda v: _zeros(v, v.shape[1:]))
        empty = [_zeros(p, (0, *p.shape)) for p in (out if isinstance(out, tuple) else (out,))]
        return closed(level, tuple(empty) if isinstance(out, tuple) else empty[0], name)
    rows = [example(operator.itemgetter((i, ...))) for i in range(level.size)]
    out = tuple(map(_stacked, zip(*rows, strict=True))) if isinstance(rows[0], tuple) else _stacked(rows)
    return closed(level, out, name)


def _joined(x: Any, batched: bool, size: int) -> Any:
    """An array of examples with those of the whole batch."""
    xp = array_namespace(x)
    x = x if batched else xp.broadcast_to(x, (size, *x.shape))
    return xp.reshape(x, (x.shape[0] * x.shape[1], *x.shape[2:]))


def _zeros(like: Any, shape: Sequence[int]) -> Any:
    return array_namespace(like).zeros(tuple(shape), dtype=like.dtype, device=device_of(storage(like)))


def _stacked(parts: Sequence[Any]) -> Any:
    return array_namespace(*parts).stack(list(parts), axis=0)
