"""Places for the boxes of a graph, in layers, such that lines go one way and through no box (Sugiyama et al. 1981)."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

ACROSS = 22.0
"""Distance of boxes in a layer."""
PASSING = 14.0
"""Distance of a line that goes past a box, or another such line."""
BOX_WEIGHT = 1e9
"""How much more a box keeps its place than a line that passes."""
SWEEPS = 12


class Line(NamedTuple):
    """A line from one box to another; the offsets say where it meets them, from their middle."""

    source: int
    target: int
    start: float = 0.0
    end: float = 0.0


Point = tuple[float, float]


@dataclass
class Places:
    """Where everything is: `across` the direction of the lines, and `along` it.

    Attributes:
        middles: For each box, the place of its middle across.
        tops: For each box, where it begins along.
        routes: For each line, the points at which it turns: between the first and second it goes along, then it curves
            to the third, goes along to the fourth, and so on.
        width: The extent across.
        height: The extent along.
    """

    middles: list[float]
    tops: list[float]
    routes: list[list[Point]]
    width: float
    height: float


def layered(
    sizes: Sequence[tuple[float, float]],
    lines: Sequence[Line],
    first: Sequence[int] = (),
    last: Sequence[int] = (),
    gap: float = 26.0,
) -> Places:
    """Place boxes in layers.

    Args:
        sizes: For each box, its extent across and along.
        lines: The lines, without cycles.
        first: Boxes of a layer of their own before all others.
        last: Boxes of a layer of their own after all others.
        gap: Distance of layers.
    """
    ranks = _ranks(len(sizes), lines, first, last)
    extents = list(sizes)
    steps: list[tuple[int, int, float, float]] = []  # of lines from one layer to the next
    chains: list[list[int]] = []
    leaving = Counter(line.source for line in lines)
    alone: set[int] = set()  # parts of lines that are the only ones of their box
    for line in lines:
        chain = [line.source]
        for rank in range(ranks[line.source] + 1, ranks[line.target]):
            ranks.append(rank)
            extents.append((0.0, 0.0))
            chain.append(len(extents) - 1)
        if leaving[line.source] == 1:
            alone.update(chain[1:])
        chain.append(line.target)
        for i, (a, b) in enumerate(itertools.pairwise(chain)):
            steps.append((a, b, line.start if i == 0 else 0.0, line.end if i == len(chain) - 2 else 0.0))
        chains.append(chain)
    layers: list[list[int]] = [[] for _ in range(max(ranks, default=-1) + 1)]
    for node, rank in enumerate(ranks):
        layers[rank].append(node)
    _order(layers, ranks, steps)
    middles = _across(layers, extents, steps, len(sizes), alone)
    left = min((m - e[0] / 2 for m, e in zip(middles, extents, strict=True)), default=0.0)
    middles = [m - left for m in middles]
    width = max((m + e[0] / 2 for m, e in zip(middles, extents, strict=True)), default=0.0)
    bands: list[tuple[float, float]] = []
    height = 0.0
    for layer in layers:
        depth = max((extents[node][1] for node in layer), default=0.0)
        bands.append((height, height + depth))
        height += depth + gap
    height -= gap if layers else 0.0
    tops = [sum(bands[ranks[node]]) / 2 - extents[node][1] / 2 for node in range(len(sizes))]
    routes = []
    for line, chain in zip(lines, chains, strict=True):
        route: list[Point] = []
        for i, node in enumerate(chain):
            at, (top, bottom) = middles[node], bands[ranks[node]]
            if i == 0:
                route += [(at + line.start, tops[node] + extents[node][1]), (at + line.start, bottom)]
            elif i == len(chain) - 1:
                route += [(at + line.end, top), (at + line.end, tops[node])]
            else:
                route += [(at, top), (at, bottom)]
        routes.append(route)
    return Places(middles[: len(sizes)], tops, routes, width, height)


def _ranks(count: int, lines: Sequence[Line], first: Sequence[int], last: Sequence[int]) -> list[int]:
    """The layer of each box: after those that it comes from, and what comes from nothing right before its first use."""
    before: list[list[int]] = [[] for _ in range(count)]
    after: list[list[int]] = [[] for _ in range(count)]
    for line in lines:
        before[line.target].append(line.source)
        after[line.source].append(line.target)
    ranks = [0 if node in first else 1 for node in range(count)]
    waiting = [len(sources) for sources in before]
    ready = [node for node in range(count) if not waiting[node]]
    for node in ready:
        for target in after[node]:
            ranks[target] = max(ranks[target], ranks[node] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    for node in range(count):
        if not before[node] and after[node] and node not in first:
            ranks[node] = min(ranks[target] for target in after[node]) - 1
    if last:
        inner = max((ranks[node] for node in range(count) if node not in set(last)), default=0)
        for node in last:
            ranks[node] = inner + 1
    lowest = min(ranks, default=0)
    return [rank - lowest for rank in ranks]


def _order(layers: list[list[int]], ranks: list[int], steps: list[tuple[int, int, float, float]]) -> None:
    """Order each layer such that few lines cross, by the means of the places of neighbours."""
    up: dict[int, list[int]] = {}
    down: dict[int, list[int]] = {}
    for a, b, _, _ in steps:
        up.setdefault(b, []).append(a)
        down.setdefault(a, []).append(b)
    best, fewest = [list(layer) for layer in layers], _crossings(layers, down)
    for sweep in range(SWEEPS):
        if not fewest:
            break
        downwards = sweep % 2 == 0
        neighbours = up if downwards else down
        for i in range(1, len(layers)) if downwards else range(len(layers) - 2, -1, -1):
            place = {node: j for j, node in enumerate(layers[i - 1 if downwards else i + 1])}
            own = {node: float(j) for j, node in enumerate(layers[i])}
            for node in layers[i]:
                near = [place[other] for other in neighbours.get(node, ())]
                if near:
                    own[node] = sum(near) / len(near)
            layers[i].sort(key=own.__getitem__)
        count = _crossings(layers, down)
        if count < fewest:
            best, fewest = [list(layer) for layer in layers], count
    layers[:] = best


def _crossings(layers: list[list[int]], down: dict[int, list[int]]) -> int:
    """The number of pairs of lines that cross."""
    total = 0
    for upper, lower in itertools.pairwise(layers):
        place = {node: j for j, node in enumerate(lower)}
        before: list[int] = []  # where the lines further left end, in order
        for node in upper:
            for end in sorted(place[other] for other in down.get(node, ())):
                at = bisect_right(before, end)
                total += len(before) - at
                before.insert(at, end)
    return total


def _across(
    layers: list[list[int]],
    extents: Sequence[tuple[float, float]],
    steps: list[tuple[int, int, float, float]],
    count: int,
    alone: set[int],
) -> list[float]:
    """Middles such that lines are short and straight; the order and the distances in a layer are kept."""
    near: list[list[tuple[int, float]]] = [[] for _ in extents]  # a neighbour, and the shift to be in line with it
    for a, b, start, end in steps:
        near[a].append((b, end - start))
        near[b].append((a, start - end))
    middles = [0.0] * len(extents)
    for layer in layers:
        _spread(layer, [0.0] * len(layer), middles, extents, count)
    rank = {node: i for i, layer in enumerate(layers) for node in layer}
    for sweep in range(SWEEPS + 2):
        downwards, settled = sweep % 2 == 0, sweep > SWEEPS  # at last only lines move, to be straight
        for layer in layers if downwards else layers[::-1]:
            wanted = []
            for node in layer:
                side = [pair for pair in near[node] if (rank[pair[0]] < rank[node]) == downwards]
                same = [pair for pair in side if (pair[0] < count) == (node < count)]
                passed = len(same) == 1 and len(side) == 2 and not any(other in alone for other, _ in side)
                chosen = same if passed else side  # a line that goes past bends no chain, two branches meet half-way
                places = [middles[other] + shift for other, shift in chosen]
                fixed = not places or (settled and (node < count or chosen[0][0] < count))
                wanted.append(middles[node] if fixed else sum(places) / len(places))
            _spread(layer, wanted, middles, extents, count)
    return middles


def _spread(
    layer: list[int], wanted: list[float], middles: list[float], extents: Sequence[tuple[float, float]], count: int
) -> None:
    """The places next to the wanted ones, by least squares, that keep order and distances (pool adjacent violators)."""
    offsets, total = [0.0], 0.0
    for a, b in itertools.pairwise(layer):
        room = ACROSS if a < count and b < count else PASSING
        total += extents[a][0] / 2 + room + extents[b][0] / 2
        offsets.append(total)
    blocks: list[tuple[float, float, int]] = []  # weighted sum, weight and number of what moves together
    for node, want, offset in zip(layer, wanted, offsets, strict=True):
        weight = BOX_WEIGHT if node < count else 1.0
        block = (weight * (want - offset), weight, 1)
        while blocks and blocks[-1][0] / blocks[-1][1] > block[0] / block[1]:
            before = blocks.pop()
            block = (before[0] + block[0], before[1] + block[1], before[2] + block[2])
        blocks.append(block)
    at = [value / weight for value, weight, number in blocks for _ in range(number)]
    for node, base, offset in zip(layer, at, offsets, strict=True):
        middles[node] = base + offset
