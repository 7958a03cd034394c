"""What one process computes of a batch, and sums over all of them inside a step."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

from portanet.autodiff import array_namespace, custom_vjp, is_traced, unwrap
from portanet.backends import Array, device_of, raw_namespace
from portanet.distribution.engines import engine_of
from portanet.distribution.processes import Processes
from portanet.random.streams import part_of_batch
from portanet.tree import tree_items, tree_map

ALONE: Any = None
"""In place of the processes, for a share that waits for none."""


@dataclass(frozen=True)
class Share:
    """The examples from `start` to `stop` of a batch of `whole`, which this process computes."""

    processes: Processes
    start: int
    stop: int
    whole: int
    alone: bool = False
    """Whether they make a step of their own: sums and means are those of these examples, as if there were no others."""

    @property
    def count(self) -> int:
        """How many examples."""
        return self.stop - self.start

    @property
    def key(self) -> tuple[str, ...]:
        """What steps compiled for one share, and for no other, are kept by."""
        return (f"{self.start}:{self.stop} of {self.whole}{' alone' * self.alone}",)

    def cut(self, tree: Any) -> Any:
        """This part of a batch."""
        return tree_map(lambda leaf: leaf[self.start : self.stop, ...], tree)

    def sum(self, tree: Any) -> Any:
        """The sums over all processes of a tree of arrays, which have no derivative."""
        return with_leaves(tree, engine_of(self.processes).sum)

    def joined(self, x: Array | None) -> Array | None:
        """An array with an entry for each example, as that of the whole batch, with its derivative.

        Others, such as weights of steps that all examples have, are returned as they are.
        """
        if x is None or x.ndim == 0 or x.shape[0] != self.count:
            return x
        xp = array_namespace(x)
        if x.dtype == xp.bool:  # of which there are no sums
            whole = self.joined(xp.astype(x, xp.uint8))
            return None if whole is None else xp.astype(whole, xp.bool)
        ends = (self.start, self.whole - self.stop)
        raw, device = raw_namespace(unwrap(x)), device_of(x)
        before, after = (raw.zeros((n, *x.shape[1:]), dtype=x.dtype, device=device) for n in ends)
        return over_batch(xp.concat((before, x, after), axis=0))

    def gathered(self, tree: Any) -> Any:
        """The results for the whole batch, from NumPy arrays with those of this share."""
        return tree_map(lambda leaf: np.concatenate(self.processes.gather(leaf)), tree)


def with_leaves(tree: Any, function: Callable[[list[Any]], Sequence[Any]]) -> Any:
    """A tree with other leaves: what a function returns for all of them.

    Leaves come in the order of their paths, which is that of all processes: compiled functions sort dicts.
    """
    items = list(tree_items(tree))
    order = sorted(range(len(items)), key=lambda i: items[i][0])
    new = dict(zip(order, function([items[i][1] for i in order]), strict=True)) if items else {}
    numbers = iter(range(len(items)))
    return tree_map(lambda _: new[next(numbers)], tree)


_share: ContextVar[Share | None] = ContextVar("portanet_share", default=None)


def share() -> Share | None:
    """What this process computes of the batch at hand; None where sums are not those of several processes."""
    part = _share.get()
    return None if part is None or part.alone else part


@contextlib.contextmanager
def sharing(part: Share | None) -> Iterator[None]:
    """In a `with` block of this context, compute a part of a batch; None for all of it."""
    if part is None:
        yield
        return
    token = _share.set(part)
    try:
        with part_of_batch(slice(part.start, part.stop), part.whole):
            yield
        if not part.alone:
            engine_of(part.processes).watch()
    finally:
        _share.reset(token)


def fraction() -> float:
    """The part of the batch's examples that this process computes; 1 for all of them.

    A mean over them, multiplied by it, adds up to the mean over all.
    """
    part = share()
    return 1.0 if part is None else part.count / part.whole


def of_share(loss: Array) -> Array:
    """A mean over examples, or a loss that is of none, as the part that this process adds to that of the batch."""
    return loss if share() is None else loss * fraction()


def of_whole(part: Share, function: Callable[..., Any], *arrays: Array | None) -> Any:
    """What a function gives for the whole batch, as the part of it that this process adds to the sum over all.

    It is for functions in which examples meet: every process computes them for all examples.

    Args:
        part: What this process computes.
        function: A function of arrays, which returns a tree of them.
        *arrays: Those of this process; see `Share.joined`.
    """
    given = [part.joined(each) for each in arrays]
    token = _share.set(None)
    try:
        return tree_map(lambda leaf: leaf * (1.0 / part.processes.size), function(*given))
    finally:
        _share.reset(token)


def over_batch(x: Array) -> Array:
    """The sum of `x` over the processes that compute the batch, with its derivative; `x` in one alone."""
    return x if share() is None else _summed(x)


@custom_vjp
def _summed(x: Array) -> Any:
    part = share()
    assert part is not None
    if is_traced(x):  # derivatives of derivatives
        return _summed(x), lambda g: (over_batch(g),)
    return part.sum(x), lambda g: (over_batch(g),)


def drawn(draw: Callable[[tuple[int, ...]], Array], shape: tuple[int, ...]) -> Array:
    """A random draw with an entry for each example, of those that this process computes.

    Args:
        draw: What draws for a shape.
        shape: The shape for these examples; the first axis is theirs, or they and others joined, or of size 1.
    """
    part = _share.get()
    if part is None or not shape or shape[0] == 1 or shape[0] % part.count:
        return draw(shape)
    each = shape[0] // part.count
    return draw((each * part.whole, *shape[1:]))[each * part.start : each * part.stop, ...]
