"""Colourings of sparsity patterns: which columns of a matrix one product with a vector can return together.

Source: A. H. Gebremedhin, F. Manne, A. Pothen, What color is your Jacobian? Graph coloring for computing derivatives,
SIAM Review 47 (2005).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from portanet.autodiff.sparse.patterns import Pattern

Lists = list[list[int]]


def grouped(keys: Sequence[int], values: Sequence[int], count: int) -> Lists:
    """The values of each key from 0 to `count - 1`."""
    groups: Lists = [[] for _ in range(count)]
    for key, value in zip(keys, values, strict=True):
        groups[key].append(value)
    return groups


def color_columns(rows: Sequence[int], columns: Sequence[int], shape: tuple[int, int]) -> list[int]:
    """Colours of the columns of a matrix, such that columns of one colour have no row in common.

    Greedy, the columns with most elements first. Exchange rows and columns to colour rows.

    Args:
        rows: Row of each element that may differ from zero.
        columns: Its column.
        shape: Of the matrix.

    Example:
        >>> color_columns([0, 0, 1, 1, 2], [0, 1, 1, 2, 2], (3, 3))
        [1, 0, 1]
    """
    by_column = grouped(columns, rows, shape[1])
    used = [0] * shape[0]  # the colours in each row, as bits
    colors = [0] * shape[1]
    for column in sorted(range(shape[1]), key=lambda j: -len(by_column[j])):
        taken = 0
        for row in by_column[column]:
            taken |= used[row]
        free = ~taken & (taken + 1)
        colors[column] = free.bit_length() - 1
        for row in by_column[column]:
            used[row] |= free
    return colors


def star_coloring(neighbors: Lists) -> list[int]:
    """Colours of the vertices of a graph: neighbours differ, and no path of four vertices has two colours only.

    With it, each element of a symmetric matrix with this graph is in one of two products by itself (algorithm 4.1 of
    the source).

    Args:
        neighbors: The neighbours of each vertex, without itself.

    Example:
        >>> star_coloring([[1], [0, 2], [1, 3], [2]])
        [0, 1, 0, 2]
    """
    colors: list[int] = [-1] * len(neighbors)
    counts: list[dict[int, int]] = [{} for _ in neighbors]  # of the colours among the neighbours of each vertex
    for vertex, around in enumerate(neighbors):
        taken = 0
        for w in around:
            if colors[w] < 0:
                for color in counts[w]:
                    taken |= 1 << color
                continue
            taken |= 1 << colors[w]
            for x in neighbors[w]:
                if colors[x] >= 0 and counts[x][colors[w]] > 1:
                    taken |= 1 << colors[x]
        color = (~taken & (taken + 1)).bit_length() - 1
        colors[vertex] = color
        for w in around:
            counts[w][color] = counts[w].get(color, 0) + 1
    return colors


# Plans: the passes, and where each element is found in their results


@dataclass(frozen=True)
class Plan:
    """Pass `k` is along the sum of all unit vectors of colour `k`; element `i` is at `position[i]` of `passed[i]`."""

    pattern: Pattern
    forward: bool
    colors: Any
    passed: Any
    position: Any


def plan_jacobian(pattern: Pattern, columns: int, mode: str | None) -> Plan:
    """The plan for a matrix with this number of columns, in the mode that needs fewer passes if that is None."""
    i, j = pattern.rows, pattern.columns
    rows = int(i.max()) + 1 if len(i) else 0
    plans = []
    if mode != "reverse":
        colors = np.asarray(color_columns(i.tolist(), j.tolist(), (rows, columns)), dtype=np.int64)
        plans.append(Plan(pattern, True, colors, colors[j], i))
    if mode != "forward":
        colors = np.asarray(color_columns(j.tolist(), i.tolist(), (columns, rows)), dtype=np.int64)
        plans.append(Plan(pattern, False, colors, colors[i], j))
    return min(plans, key=lambda plan: int(plan.colors.max(initial=-1)))


def plan_hessian(pattern: Pattern, columns: int) -> Plan:
    """The plan for a symmetric matrix, given by one triangle or both."""
    both = np.unique(np.stack([[*pattern.rows, *pattern.columns], [*pattern.columns, *pattern.rows]]), axis=1)
    i, j = both.astype(np.int64)
    between = i != j
    colors = np.asarray(star_coloring(grouped(i[between].tolist(), j[between].tolist(), columns)), dtype=np.int64)
    # Row i of the pass of j's colour is element (i, j) alone, unless i has another neighbour of this colour.
    pairs = i * (int(colors.max(initial=0)) + 1) + colors[j]
    _, inverse, counts = np.unique(pairs[between], return_inverse=True, return_counts=True)
    alone = np.ones(len(i), dtype=bool)
    alone[between] = counts[inverse] == 1
    symmetric = Pattern(i, j, pattern.shape)
    return Plan(symmetric, True, colors, np.where(alone, colors[j], colors[i]), np.where(alone, i, j))
