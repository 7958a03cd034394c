"""Sphinx extension: relative links between Markdown pages, which work on code hosts, work on the site as well.

Pages outside `docs/` get a copy in it, a link to a script of the gallery leads to the page made of it, and one to a
file that is no page, such as the licence, to the code host.
"""

from __future__ import annotations

import pathlib
import posixpath
import re
import tomllib
from typing import Any

ROOT = pathlib.Path(__file__).parents[2]
SOURCE = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["urls"]["Source"]
COPIES = "repository"
OUTSIDE = ("README.md", "CHANGELOG.md", "CONTRIBUTING.md", "benchmarks/results/*.md", "benchmarks/results/*.svg")
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|[#/])([^)\s#]+)")


def outside() -> list[str]:
    """The pages outside `docs/`, and their pictures."""
    return sorted(path.relative_to(ROOT).as_posix() for pattern in OUTSIDE for path in ROOT.glob(pattern))


def copy(app: Any) -> None:
    """Copy the pages outside `docs/`; those that have not changed are left alone, so that Sphinx does not read them."""
    for name in outside():
        path, content = pathlib.Path(app.srcdir, COPIES, name), (ROOT / name).read_bytes()
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)


def on_site(target: str, page: str) -> str:
    """The target of a link on a page, from the root of the site where it is another one there."""
    here = page.removeprefix(f"{COPIES}/") if page.startswith(f"{COPIES}/") else f"docs/{page}"
    path = posixpath.normpath(posixpath.join(posixpath.dirname(here), target))
    if path.startswith("docs/gallery/") and path.endswith(".py"):
        return f"/auto_gallery/{path.removeprefix('docs/gallery/').removesuffix('.py')}.rst"
    if path in outside():
        return f"/{COPIES}/{path}"
    if path.startswith("docs/"):
        return f"/{path.removeprefix('docs/')}"
    return f"{SOURCE}/blob/main/{path}" if (ROOT / path).is_file() else target


def to_site(app: Any, page: str, source: list[str]) -> None:
    """Lead the links of a Markdown page to the pages of the site; leave out the empty line that ends a doctest."""
    if app.env.doc2path(page).suffix == ".md":
        text = source[0].replace("\n\n```\n", "\n```\n")
        source[0] = LINK.sub(lambda link: on_site(link[1], page), text)


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("builder-inited", copy)
    app.connect("source-read", to_site)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
