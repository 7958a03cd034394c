"""Stacked recurrent cells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from portanet import checks
from portanet.backends import Array
from portanet.layers.base import Layer
from portanet.layers.rnn.cell import States, grouped, initial_states, is_cell, output_size_of, run_cell, state_sizes_of
from portanet.tree import tree_leaves


class StackedRNNCells(Layer):
    """Several cells as one: each feeds the next; as `keras.layers.StackedRNNCells`.

    Args:
        cells: The cells; the states of the stack are a list with those of each cell.
        **options: `name`, `trainable`, `dtype` of `Layer`.

    Example:
        >>> from portanet import layers
        >>> layers.StackedRNNCells([layers.LSTMCell(8), layers.GRUCell(4)]).state_size
        [[8, 8], [4]]
    """

    def __init__(self, cells: Sequence[Layer], **options: Any) -> None:
        super().__init__(**options)
        if not isinstance(cells, (list, tuple)) or not cells or not all(map(is_cell, cells)):
            raise checks.invalid("cells", cells, "a list of cells: layers with an attribute `state_size`", self)
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """Sizes of the states of each cell."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> int:
        """Size of the last cell's output."""
        return output_size_of(self.cells[-1])

    def build(self, input_shape: Any) -> None:
        self._place(self._path())
        for cell in self.cells:
            if not cell._built:
                cell.build(input_shape)
            input_shape = (input_shape[0], output_size_of(cell))

    def call(  # type: ignore[override]
        self, x: Array, states: Any, training: bool = False
    ) -> tuple[Array, list[Any]]:
        """One time step.

        Args:
            x: Inputs, shape (batch, features).
            states: The states, a list with those of each cell.
            training: Whether to drop inputs.

        Returns:
            The output and the new states, a list with those of each cell.
        """
        new: States = []
        for cell, part in zip(self.cells, self._split(tree_leaves(states)), strict=True):
            x, new_part = cell(x, part, training=training)
            new += tree_leaves(new_part)
        return x, grouped(new, self)

    def sequence(self, x: Array, states: States, mask: Array | None, training: bool) -> tuple[Array, States]:
        """Run along a sequence (time, batch, features), cell by cell."""
        new: States = []
        for cell, part in zip(self.cells, self._split(states), strict=True):
            x, new_part = run_cell(cell, x, part, mask, training)
            new += new_part
        return x, new

    def get_initial_state(self, batch_size: int) -> list[Any]:
        """The states that the cells begin with, a list with those of each."""
        return grouped(initial_states(self, batch_size), self)

    def _split(self, states: States) -> list[States]:
        parts, start = [], 0
        for cell in self.cells:
            size = len(state_sizes_of(cell))
            parts.append(list(states[start : start + size]))
            start += size
        return parts

    def compute_output_shape(self, input_shape: Any) -> Any:
        shapes = [(input_shape[0], size) for size in state_sizes_of(self)]
        return (input_shape[0], self.output_size), grouped(shapes, self)
