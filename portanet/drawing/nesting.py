"""Places for boxes in groups: each group is arranged on its own, and is one box for what is around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from portanet.drawing.boxes import PADDING, TITLE, Box, box_size, text_width
from portanet.drawing.layout import Line, Places, layered

Path = tuple[str, ...]


@dataclass
class Group:
    """A group that is arranged; extents are across and along the direction of the lines.

    Attributes:
        places: Those of its items: boxes, groups in it, and where lines enter and leave.
        sizes: The extents of the items.
        keys: For each item that is visible, the number of its box, or the path of its group.
        inner: The groups among the items.
        entries: For each box outside that a line comes from, the item where it enters.
        exits: For each box inside whose line leaves, the item where it does.
        ends: For each line, the boxes that it comes from and goes to.
        lines: The lines.
        before: From the corner of its frame to its contents.
        after: From its contents to the opposite corner.
    """

    places: Places
    sizes: list[tuple[float, float]]
    keys: dict[int, int | Path]
    inner: dict[int, Group]
    entries: dict[int, int]
    exits: dict[int, int]
    ends: list[tuple[int, int]]
    lines: list[Line]
    before: tuple[float, float]
    after: tuple[float, float]

    @property
    def size(self) -> tuple[float, float]:
        """The extents of its frame."""
        across = self.before[0] + self.places.width + self.after[0]
        return across, self.before[1] + self.places.height + self.after[1]

    def offset(self, item: int) -> float:
        """Where a line enters or leaves, from the middle of the frame."""
        return self.before[0] + self.places.middles[item] - self.size[0] / 2


def arrange(boxes: Sequence[Box], direction: str, path: Path = ()) -> Group:
    """Arrange the boxes of a group, those in groups in it included.

    Args:
        boxes: All boxes of the picture.
        direction: Where lines go: `"TB"`, `"BT"`, `"LR"` or `"RL"`.
        path: The group; by default the picture.
    """
    depth, sideways = len(path), direction in ("LR", "RL")
    inside = [box.group[:depth] == path for box in boxes]
    owners: list[int | Path] = [b.group[: depth + 1] if len(b.group) > depth else i for i, b in enumerate(boxes)]
    items: dict[int | Path, int] = {}
    sizes: list[tuple[float, float]] = []
    inner: dict[int, Group] = {}
    for owner, within in zip(owners, inside, strict=True):
        if within and owner not in items:
            items[owner] = item = len(sizes)
            if isinstance(owner, tuple):
                inner[item] = arrange(boxes, direction, owner)
                sizes.append(inner[item].size)
            else:
                width, height = box_size(boxes[owner])
                sizes.append((height, width) if sideways else (width, height))
    entries: dict[int, int] = {}
    exits: dict[int, int] = {}
    lines: dict[tuple[int, int, int], Line] = {}
    ends: dict[tuple[int, int, int], tuple[int, int]] = {}
    for target, box in enumerate(boxes):
        for source in box.sources:
            if not (inside[source] or inside[target]) or owners[source] == owners[target]:
                continue
            if not inside[source] and source not in entries:
                entries[source] = len(sizes)
                sizes.append((0.0, 0.0))
            if not inside[target] and source not in exits:
                exits[source] = len(sizes)
                sizes.append((0.0, 0.0))
            a = items[owners[source]] if inside[source] else entries[source]
            b = items[owners[target]] if inside[target] else exits[source]
            start = inner[a].offset(inner[a].exits[source]) if a in inner else 0.0
            end = inner[b].offset(inner[b].entries[source]) if b in inner else 0.0
            lines.setdefault((a, b, source), Line(a, b, start, end))
            ends.setdefault((a, b, source), (source, target))
    places = layered(sizes, list(lines.values()), list(entries.values()), list(exits.values()))
    none = (0.0, 0.0)
    before, after = _room(places, direction, path[-1], bool(exits)) if path else (none, none)
    keys = {item: owner for owner, item in items.items()}
    return Group(places, sizes, keys, inner, entries, exits, list(ends.values()), list(lines.values()), before, after)


def _room(places: Places, direction: str, name: str, leaves: bool) -> tuple[tuple[float, float], tuple[float, float]]:
    """The room of a frame before and after its contents: a name at the top of the page, and a margin.

    Where lines enter or leave there is room for the name already.
    """
    title = text_width(name, bold=True) + 2 * PADDING
    if direction in ("LR", "RL"):
        more = max(title - places.height - 2 * PADDING, 0.0) / 2
        return (TITLE, PADDING + more), (PADDING, PADDING + more)
    more = max(title - places.width - 2 * PADDING, 0.0) / 2
    along = (PADDING, PADDING if direction == "TB" or leaves else TITLE)
    return (PADDING + more, along[0]), (PADDING + more, along[1])
