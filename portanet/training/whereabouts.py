"""Where in the data an error came up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Self

from portanet.tree import tree_items


class Whereabouts:
    """A `with` block that adds a note to every error that leaves it: the batch, with its shapes and dtypes.

    The error keeps its type and message.

    Args:
        title: What the batches are for: `"Epoch 2 of 3"`.
        steps: How many there are, if known.
        number: Number of the first, from 0; the note counts from 1.
    """

    def __init__(self, title: str, steps: int | None, number: int = 0) -> None:
        self.title = title
        self.steps = steps
        self.number = number
        self.batch: Any = None

    def follow(self, batches: Iterable[Any]) -> Iterator[tuple[int, Any]]:
        """The batches with their numbers."""
        for batch in batches:
            self.batch = batch
            yield self.number, batch
            self.batch = None
            self.number += 1

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, Exception):
            total = "" if self.steps is None else f" of {self.steps}"
            batch = self.batch.outline() if hasattr(self.batch, "outline") else self.batch
            state = ", which was being prepared" if batch is None else f": {described(batch)}"
            error.add_note(f"{self.title}, batch {self.number + 1}{total}{state}")


def described(batch: Any) -> str:
    """The shapes and dtypes of a batch.

    Example:
        >>> import numpy as np
        >>> described((np.zeros((8, 3)), {"a": np.zeros(8, dtype="int32")}, None))
        "x float64 (8, 3), y['a'] int32 (8,)"
    """
    parts = zip(("x", "y", "sample_weight"), batch, strict=True)
    return ", ".join(
        f"{part}{path} {str(leaf.dtype).rpartition('.')[2]} {tuple(leaf.shape)}"
        for part, tree in parts
        for path, leaf in tree_items(tree)
    )
