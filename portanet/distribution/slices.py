"""Weights in slices, one for each process, which keeps the optimizer's state for its own and updates it."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from portanet.backends import Array, raw_namespace
from portanet.distribution.engines import engine_of
from portanet.distribution.processes import Processes
from portanet.distribution.rows import part_of
from portanet.distribution.share import with_leaves

Tree = dict[str, Array]
Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True)
class Slices:
    """How each weight is cut, as a row of its elements, into as many slices as there are processes."""

    processes: Processes

    @property
    def key(self) -> tuple[str, ...]:
        """What steps compiled for slices, and for no others, are kept by."""
        return (f"slice {self.processes.rank} of {self.processes.size}",)

    def cut(self, tree: Mapping[str, Array]) -> Tree:
        """The slices of this process: views where arrays have them."""
        return {path: self._own(x) for path, x in tree.items()}

    def _own(self, x: Array) -> Array:
        row = raw_namespace(x).reshape(x, (-1,))
        return row[part_of(row.shape[0], self.processes.rank, self.processes.size)]

    def whole(self, tree: Tree, shapes: Shapes) -> Tree:
        """The arrays of these shapes, from the slices of all processes."""
        sizes: dict[str, int] = {path: math.prod(shapes[path]) for path in tree}

        def of_all(leaves: list[Any]) -> list[Any]:
            return engine_of(self.processes).join(leaves, [sizes[path] for path in sorted(tree)])

        rows = with_leaves(dict(sorted(tree.items())), of_all)
        return {path: raw_namespace(x).reshape(rows[path], shapes[path]) for path, x in tree.items()}

    @contextlib.contextmanager
    def update(self, shapes: Shapes) -> Iterator[None]:
        """In a `with` block, an optimizer is given slices of weights of these shapes."""
        token = _at_hand.set((self, shapes))
        try:
            yield
        finally:
            _at_hand.reset(token)


_at_hand: ContextVar[tuple[Slices, Shapes] | None] = ContextVar("portanet_slices", default=None)


def over_slices(tree: Any) -> Any:
    """The sums of a tree of arrays over the processes, while each updates slices of the weights; else the tree."""
    found = _at_hand.get()
    if found is None:
        return tree
    return with_leaves(tree, engine_of(found[0].processes).sum)


def drawn_in_slices(draw: Callable[[tuple[int, ...]], Array], path: str, p: Array) -> Array:
    """A random draw for a weight, or for the slice of it that is at hand.

    Args:
        draw: What draws for a shape.
        path: The weight.
        p: Its value, or the slice.
    """
    found = _at_hand.get()
    return draw(tuple(p.shape)) if found is None else found[0]._own(draw(tuple(found[1][path])))
