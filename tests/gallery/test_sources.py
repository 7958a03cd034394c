"""The indexes by source: no listing or figure is missing, and what they name exists."""

from __future__ import annotations

import functools
import pkgutil
import re

import pytest

from tests.gallery.numbers import EXPECTED
from tests.gallery.pages import GALLERY

SOURCES = GALLERY.parent / "sources"
ALL = sorted(path.stem for path in SOURCES.glob("*.md") if path.stem != "index")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
NAME = re.compile(r"`(portanet(?:\.\w+)+)`")
NUMBER = re.compile(r"(Listing|Figure|Table|Section)s? (\S+)(?: to (\S+))?$")


@functools.cache
def rows(document: str) -> list[list[str]]:
    """The cells of the rows of all tables, without heads."""
    lines = (SOURCES / f"{document}.md").read_text().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")]
    heads = [i - 1 for i, row in enumerate(cells) if set("".join(row)) <= set("-: ")]
    return [row for i, row in enumerate(cells) if i not in heads and i - 1 not in heads]


def numbers(cell: str) -> list[str]:
    """What a first cell stands for: "Figures 3-1 to 3-3" is three figures, "2.1.1 to 2.1.2" two sections."""
    if cell.startswith("`"):
        return [f"Script {cell.strip('`')}"]
    match = NUMBER.match(cell if cell[0].isalpha() else f"Section {cell}")
    if match is None:
        return []
    kind, first, last = match.groups()
    stem, start = re.fullmatch(r"(.*[-.])(\d+)", first).groups()  # type: ignore[union-attr]
    if last is None:
        return [f"{kind} {first}"]
    other, end = re.fullmatch(r"(.*[-.])(\d+)", last).groups()  # type: ignore[union-attr]
    assert stem == other
    assert int(start) < int(end)
    return [f"{kind} {stem}{i}" for i in range(int(start), int(end) + 1)]


@pytest.mark.parametrize("document", EXPECTED)
def test_every_number_has_a_row(document: str) -> None:
    present = {number for row in rows(document) for number in numbers(row[0])}
    assert [number for number in EXPECTED[document] if number not in present] == []
    assert sorted(number for number in present - set(EXPECTED[document]) if not number.startswith("Script")) == []


@pytest.mark.parametrize("document", ALL)
def test_every_row_says_where(document: str) -> None:
    assert rows(document)
    assert [row for row in rows(document) if not all(row)] == []


@pytest.mark.parametrize("document", ALL)
def test_links_lead_to_files(document: str) -> None:
    links = {link for row in rows(document) for link in LINK.findall(" ".join(row)) if "://" not in link}
    assert sorted(link for link in links if not (SOURCES / link).exists()) == []


@pytest.mark.parametrize("document", ALL)
def test_names_exist(document: str) -> None:
    missing = []
    for name in {name for row in rows(document) for name in NAME.findall(" ".join(row))}:
        try:
            pkgutil.resolve_name(name)
        except (ImportError, AttributeError):
            missing.append(name)
    assert sorted(missing) == []
