"""The portability matrix as docs/portability.md and a table in README.md, written from `results/`."""

from __future__ import annotations

import pathlib

from tests.oracles import coverage
from tests.portability.blocks import ROOMS
from tests.portability.columns import COLUMNS, KINDS, Column, Found, recorded

ROOT = pathlib.Path(__file__).parents[2]
PAGE = ROOT / "docs" / "portability.md"
README = ROOT / "README.md"
BEGIN, END = "<!-- portability: begin -->\n", "<!-- portability: end -->\n"

_HOST = "it computes on the host: array libraries have no strings"
_FUNCTION = "a function; on every backend in `oracles/test_loss_functions.py`"
_SEQUENCE = "a sequence of other layers; on every backend in `layers/test_sequences_of_augmentations.py`"
NO_CASE = {
    "layers.HashedCrossing": _HOST,
    "layers.Hashing": _HOST,
    "layers.InputLayer": "it computes nothing",
    "layers.IntegerLookup": _HOST,
    "layers.AugMix": _SEQUENCE,
    "layers.Pipeline": _SEQUENCE,
    "layers.RandAugment": _SEQUENCE,
    "layers.StringLookup": _HOST,
    "layers.TextVectorization": _HOST,
    "losses.ctc": "the function that losses.CTC calls",
    "losses.triplet": "the function that losses.Triplet calls",
    "metrics.Mean": "an average of given numbers, kept on the host",
    "metrics.Sum": "a sum of given numbers, kept on the host",
    "optimizers.LossScaleOptimizer": "it wraps another; on every backend in `optimizers/test_loss_scale.py`",
    "optimizers.MultiOptimizer": "it wraps others; on every backend in `optimizers/test_multi_optimizer.py`",
    "optimizers.bisect": "a loop on the host around a function; on every backend in `optimizers/test_roots.py`",
    "optimizers.descend": "a loop around the step of an optimizer; on every backend in `optimizers/test_descend.py`",
    "optimizers.minimize": "a loop on the host around a value and its gradient",
    "optimizers.newton": "a loop on the host around a derivative; on every backend in `optimizers/test_roots.py`",
}
"""Blocks without a case, and why; see also the functions below."""


def block_names() -> list[str]:
    """Every layer, loss, metric and optimizer."""
    return [f"{room.name}.{name}" for room in coverage.ROOMS if room.name in ROOMS for name in coverage.blocks(room)]


for _name in block_names():
    if _name.startswith(("losses.", "metrics.")) and _name.islower():
        NO_CASE.setdefault(_name, _FUNCTION)


def results() -> list[tuple[Column, Found | None]]:
    """The columns with their stored results."""
    return [(column, recorded(column.name)) for column in COLUMNS]


def holes() -> list[str]:
    """Blocks with neither results nor a reason; reasons for blocks that have a case."""
    result = [
        f"{column.title}: neither results nor a reason"
        for column, f in results()
        if not (f or column.missing or column.totals)
    ]
    for column, on_file in results():
        for name in block_names():
            cell = {} if on_file is None else on_file.cells.get(name, {})
            if on_file is not None and name not in NO_CASE:
                result += [f"{column.title}: {name}, {kind}" for kind in KINDS if cell.get(kind, "") == ""]
            if cell and name in NO_CASE:
                result.append(f"{column.title}: {name} has a case, drop its reason")
    return result


def summary() -> str:
    """One row for each column: how many blocks run, and their deviation from NumPy."""
    lines = [
        "| | inference | training | deviation from NumPy | deviation of 50-step loss curves |",
        "|---|---|---|---|---|",
    ]
    for column, result in results():
        if result is None:
            totals = column.totals
            blocks = column.missing if totals is None else totals.blocks
            rest = "| |" if totals is None else f"{totals.away:.0e} | {totals.curves:.0e} |"
            lines.append(f"| {column.title} | {blocks} | {blocks} | {rest}")
            continue
        counts = []
        for kind in KINDS:
            cells = [cell[kind] for cell in result.cells.values()]
            counts.append(f"{sum(not isinstance(value, str) for value in cells)}")
        apart = max(result.worst(kind) for kind in KINDS)
        curves = f"{max(result.curves.values()):.0e}" if result.curves else ""
        lines.append(f"| {column.title} | {' | '.join(counts)} | {apart:.0e} | {curves} |")
    return "\n".join(lines) + "\n"


def table() -> str:
    """The tables of blocks, with the reasons below."""
    reasons: list[str] = []
    lines: list[str] = []
    columns = [(column, result) for column, result in results() if result is not None]
    for room in coverage.ROOMS:
        if room.name not in ROOMS:
            continue
        names = [f"{room.name}.{name}" for name in coverage.blocks(room)]
        lines += ["", f"### {room.title}", "", f"| | {' | '.join(column.title for column, _ in columns)} |"]
        lines.append("|---" * (len(columns) + 1) + "|")
        for name in names:
            none: dict[str, float | str] = dict.fromkeys(KINDS, NO_CASE[name]) if name in NO_CASE else {}
            cells = [mark(none or result.cells.get(name, {}), reasons) for _, result in columns]
            lines.append(f"| `{name.partition('.')[2]}` | {' | '.join(cells)} |")
    lines += ["", *(f"{i}. {reason}" for i, reason in enumerate(reasons, 1))]
    return "\n".join(lines) + "\n"


def mark(cell: dict[str, float | str], reasons: list[str]) -> str:
    """A cell: `I` for inference, `T` for a training step, or the number of a reason."""
    marks = []
    for kind in KINDS:
        value = cell.get(kind, "neither run nor a reason")
        if isinstance(value, str):
            if value not in reasons:
                reasons.append(value)
            marks.append(f"({reasons.index(value) + 1})")
        else:
            marks.append(kind[0].upper())
    return " ".join(marks)


def replaced(text: str, new: str) -> str:
    """A document with new text between the marks."""
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return head + BEGIN + new + END + tail


def page() -> str:
    """docs/portability.md as it should be."""
    ran = [f"- {column.title}: {result.where}, {result.date}" for column, result in results() if result is not None]
    ran += [f"- {c.title}: {c.totals.where}" for c, result in results() if result is None and c.totals is not None]
    new = "\n".join(["", summary(), "Recorded with:", "", *ran]) + "\n" + table()
    return replaced(PAGE.read_text(), new)


def readme() -> str:
    """README.md as it should be."""
    return replaced(README.read_text(), summary())


def write() -> None:
    """Update the documents."""
    for path, text in ((PAGE, page()), (README, readme())):
        path.write_text(text)
