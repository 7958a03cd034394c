"""The pages with results: `benchmarks/results/NAME.md` for each benchmark, and `docs/benchmarks.md` made of them.

A page has a section for each machine and in it a part for each thing measured, which begins with a line that says when,
with which versions and how. A benchmark replaces the parts that it measures in its machine's section; notes in parts
that no benchmark writes, and other machines' figures, stay. A table with the columns "result" and "target" is repeated
in `docs/benchmarks.md`; `python -m benchmarks.pages` writes that.
"""

from __future__ import annotations

import datetime
import importlib
import importlib.metadata
import os
import pathlib
import platform
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.timing import Median, busy_seconds, seconds

FOLDER = pathlib.Path(__file__).parent / "results"
DOCS = pathlib.Path(__file__).parent.parent / "docs" / "benchmarks.md"

INTRODUCTION = """\
# Benchmarks

How fast portanet is on NumPy beside PyTorch and others, with what it aims for, on each machine that was measured.
`python -m nox -s benchmarks` measures on yours and writes these pages, with what other processes took of its cores
meanwhile.

Each library runs in a process of its own, on two threads unless said otherwise, and the processes take turns, so that
what else goes on affects all of them; a turn in which others took more than a tenth of the cores is repeated, up to
four times. Most results are medians of five such runs, with new processes for each: a time
with half the width of the middle half, a ratio to PyTorch's time with the least and the greatest of the five. A target
is met if the median meets it. In the pages "products" is how long the matrix products of a workload take at the rate of
a large product, "memory" how long it takes to write and read the results of its layers and its weights once, at the
rate of a copy of large arrays; both rates are measured in the same runs. Minimal filtering needs fewer products, and
what stays in caches less memory, so a step can take less than that.
"""


@dataclass
class Page:
    """A page: what is above the machines, and their parts by title.

    >>> page = Page("# Title", {"2-core A": {"part": "text"}})
    >>> page.replace("2-core B", {"part": "other"})
    >>> print(page)
    # Title
    <BLANKLINE>
    ## 2-core A
    <BLANKLINE>
    ### part
    <BLANKLINE>
    text
    <BLANKLINE>
    ## 2-core B
    <BLANKLINE>
    ### part
    <BLANKLINE>
    other
    >>> Page.parsed(str(page)) == page
    True
    """

    head: str
    machines: dict[str, dict[str, str]] = field(default_factory=dict)

    @classmethod
    def parsed(cls, text: str) -> Page:
        head, *sections = re.split(r"^## ", text, flags=re.MULTILINE)
        page = cls(head.strip())
        for section in sections:
            title, *parts = re.split(r"^### ", section, flags=re.MULTILINE)
            page.machines[title.strip()] = {
                name.strip(): body.strip() for name, _, body in (part.partition("\n") for part in parts)
            }
        return page

    def replace(self, machine: str, parts: Mapping[str, str]) -> None:
        """Replace parts of one machine, or add them."""
        self.machines.setdefault(machine, {}).update(parts)

    def __str__(self) -> str:
        blocks = [self.head]
        for machine, parts in self.machines.items():
            blocks.append(f"## {machine}")
            for title, body in parts.items():
                blocks += [f"### {title}", body]
        return "\n\n".join(blocks)


@dataclass(frozen=True)
class Row:
    """A result beside its target.

    Args:
        title: What was measured.
        result: The number that the target is for.
        target: The greatest number that meets it.
        cells: Further cells of the table, by column.
        unit: "" for a ratio, "ms" or "%".
    """

    title: str
    result: float
    target: float | None
    cells: Mapping[str, str] = field(default_factory=dict)
    unit: str = ""

    @property
    def verdict(self) -> str:
        """The target, and whether the result meets it.

        >>> Row("", 0.93, 0.9).verdict, Row("", 12.0, 15, unit="ms").verdict
        ('0.9: missed', '15 ms: met')
        """
        if self.target is None:
            return ""
        return f"{_number(self.target, self.unit)}: {'met' if self.result <= self.target else 'missed'}"


def _number(value: float, unit: str) -> str:
    return f"{value:g} {unit}".strip()


def of_runs(value: float, unit: str = "") -> str:
    """A median of runs, with the least and the greatest.

    >>> of_runs(Median.of([0.9, 0.8, 1.0])), of_runs(Median.of([9.0, 8.0, 11.0]), "ms")
    ('0.90 (0.80 to 1.00)', '9.0 ms (8.0 to 11.0)')
    """
    digits = 1 if unit else 2
    range_ = f" ({value.low:.{digits}f} to {value.high:.{digits}f})" if isinstance(value, Median) else ""
    return f"{value:.{digits}f} {unit}".strip() + range_


def targets(rows: Sequence[Row]) -> str:
    """A Markdown table of results and targets, after the columns of the cells."""
    columns = list(dict.fromkeys(column for row in rows for column in row.cells))
    lines = [_line(["", *columns, "result", "target"]), "|---" * (len(columns) + 3) + "|"]
    for row in rows:
        cells = [row.cells.get(column, "") for column in columns]
        lines.append(_line([row.title, *cells, of_runs(row.result, row.unit), row.verdict]))
    return "\n".join(lines)


def beside(title: str, times: Mapping[str, Median], target: float | None, own: str, peer: str) -> Row:
    """The row of a library's times beside a peer's; the result is their ratio."""
    cells = {name: seconds(time) for name, time in times.items()}
    return Row(title, times[own].over(times[peer]), target, cells)


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def tables(text: str) -> Iterator[list[dict[str, str]]]:
    r"""The tables of a text, each a list of rows by column.

    >>> list(tables("text\n\n| | result |\n|---|---|\n| a | 1.2 |\n"))
    [[{'': 'a', 'result': '1.2'}]]
    """
    for block in re.findall(r"(?:^\|.*\|$\n?)+", text, flags=re.MULTILINE):
        header, _, *rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in block.splitlines()]
        yield [dict(zip(header, row, strict=True)) for row in rows]


# This machine


def machine() -> str:
    """The name of this machine: cores and processor."""
    model = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as info:
            model = next((line.partition(":")[2].strip() for line in info if line.startswith("model name")), model)
    except OSError:
        pass
    return f"{os.cpu_count()}-core {model}"


def environment(*packages: str) -> str:
    """A line that says when and with which versions something was measured."""
    versions = ", ".join(f"{name} {_version(name)}" for name in packages)
    return f"{datetime.date.today()}, {platform.system()}, Python {platform.python_version()}, {versions}"


def _version(package: str) -> str:
    """The version of a package by its name or, where that differs as CuPy's does, that of its module."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return str(importlib.import_module(package).__version__)


def _clocks() -> tuple[float, float, float]:
    """Seconds by the clock, and those for which the cores worked, for anybody and for this process and its children."""
    return time.monotonic(), busy_seconds(), sum(os.times()[:4])


_BEGAN = _clocks()


def disturbance() -> str:
    """A sentence on what other processes took of the cores since the benchmark began, where Linux tells."""
    elapsed, busy, own = (after - before for after, before in zip(_clocks(), _BEGAN, strict=True))
    if not busy:
        return ""
    share = max(0.0, busy - own) / (elapsed * (os.cpu_count() or 1))
    return f" Other processes took {100 * share:.0f} % of the cores meanwhile."


def report(name: str, parts: Mapping[str, str], how: str, write: bool) -> None:
    """Print what was measured; with `write`, put it into the page of the benchmark, too.

    Args:
        name: Name of the page.
        parts: What was measured, by title.
        how: When, with which versions and how; see `environment`.
        write: Whether to replace these parts of this machine's section in the file.
    """
    how += disturbance()
    page = Page(f"# {name}", {machine(): {title: f"{how}\n\n{body}" for title, body in parts.items()}})
    print(page, flush=True)
    if not write:
        return
    path = FOLDER / f"{name}.md"
    kept = Page.parsed(path.read_text()) if path.exists() else Page(f"# {name}")
    kept.replace(machine(), page.machines[machine()])
    path.write_text(f"{kept}\n")
    DOCS.write_text(overview(pages()))


# The page of docs


def pages() -> dict[str, Page]:
    """All pages by name."""
    return {path.stem: Page.parsed(path.read_text()) for path in sorted(FOLDER.glob("*.md"))}


def overview(pages: Mapping[str, Page]) -> str:
    """The text of `docs/benchmarks.md`: links to the pages, and for each machine the results that have targets."""
    blocks = [INTRODUCTION.strip()]
    titles = {name: page.head.partition("\n")[0].removeprefix("# ") for name, page in pages.items()}
    blocks.append("\n".join(f"- [{titles[name]}](../benchmarks/results/{name}.md)" for name in pages))
    for each in dict.fromkeys(machine for page in pages.values() for machine in page.machines):
        lines: dict[str, list[str]] = {}
        measured: dict[str, None] = {}
        for name, page in pages.items():
            for title, body in page.machines.get(each, {}).items():
                when = body.partition("\n")[0].partition(";")[0].partition(", load")[0]
                date = when.partition(",")[0]
                for row in (row for rows in tables(body) for row in rows if row.get("target")):
                    measured[when] = None
                    cells = [f"{title}: {row['']}", row["result"], row["target"], date]
                    lines.setdefault(name, []).append(_line(cells))
        if lines:
            every = [line for rows in lines.values() for line in rows]
            blocks.append(f"## {each}")
            blocks.append("\n".join(f"- {when}" for when in measured))
            blocks.append(f"{sum(': met' in line for line in every)} of {len(every)} targets are met.")
            for name, rows in lines.items():
                blocks.append(f"### {titles[name]}")
                blocks.append("\n".join([_line(["", "result", "target", "measured"]), "|---" * 4 + "|", *rows]))
    return "\n\n".join(blocks) + "\n"


if __name__ == "__main__":
    DOCS.write_text(overview(pages()))
