"""Sphinx extension: a page for each public object, in the module from which users import it.

sphinx.ext.autosummary would write stubs for `__all__` as well, but one copy for each path under which Keras has an
object; here an object has one page, which all its paths lead to, and methods are those that its class adds.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import pathlib
import re
import types
from collections.abc import Iterator
from typing import Any

from docutils import nodes
from public import ROOT, is_value, members, public_modules, public_names, public_objects, resolve
from sphinx import addnodes
from sphinx.pycode import ModuleAnalyzer

FOLDER = "api"


def page(path: str, paths: list[str], public: set[type]) -> str:
    """The page of an object."""
    value, name = resolve(path), path.rpartition(".")[2]
    lines = [name, "=" * len(name), "", f".. currentmodule:: {path.rpartition('.')[0]}", ""]
    if inspect.isclass(value):
        lines += [f".. autoclass:: {name}"]
        listed = members(value, public)
        lines += [f"   :members: {', '.join(listed)}"] if listed else []
        lines += ["   :show-inheritance:"] if any(base in public for base in value.__mro__[1:]) else []
    elif is_value(value):
        lines += [f".. data:: {name}", "", *(f"   {line}" for line in description(path).splitlines())]
    else:
        lines += [f".. autofunction:: {name}"]
    others = [other for other in paths if other != path]
    if others:
        lines += ["", "Also: " + ", ".join(f"``{other}``" for other in others)]
    return "\n".join([*lines, ""])


def description(path: str) -> str:
    """The docstring of an object, in reStructuredText; that of a value stands below its definition."""
    value = resolve(path)
    text = docstring_of_value(path) if is_value(value) else inspect.getdoc(value) or ""
    return "\n".join(plain(text.splitlines()))


def docstring_of_value(path: str) -> str:
    """The string below the definition of a value, in some module of its package."""
    place, _, name = path.rpartition(".")
    folder = pathlib.Path(importlib.import_module(place).__file__ or "").parent
    for file in sorted(folder.glob("*.py")):
        if re.search(rf"^{name}\b.* = ", file.read_text(), flags=re.MULTILINE):
            analyzer = ModuleAnalyzer.for_file(file, place)
            lines = analyzer.find_attr_docs().get(("", name), [])
            if lines:
                return "\n".join(lines).strip()
    return ""


CODE = re.compile(r"(?<!`)`([^`]+)`(?!`)(?=(\w)?)")
SPECIAL = re.compile(r"(``.*?``(?:\\ )?)|([|*])", flags=re.DOTALL)


def plain(lines: list[str]) -> list[str]:
    """Docstrings have code in backticks, and the other marks of reStructuredText mean themselves there."""
    text = "\n".join(lines)
    parts = re.split(r"(^[ ]*>>>.*?(?:\n[ ]*(?=\n)|\Z))", text, flags=re.DOTALL | re.MULTILINE)
    return "".join(part if i % 2 else marked(part) for i, part in enumerate(parts)).split("\n")


def marked(text: str) -> str:
    """Text with double backticks around code, and backslashes before `|` and `*` elsewhere."""
    text = CODE.sub(lambda code: f"``{code[1]}``" + ("\\ " if code[2] else ""), text)
    return SPECIAL.sub(lambda found: found[1] or f"\\{found[2]}", text)


def process_docstring(app: Any, what: str, name: str, value: Any, options: Any, lines: list[str]) -> None:
    """What autodoc takes from docstrings."""
    lines[:] = plain(lines)


def public_bases(app: Any, name: str, value: type, options: Any, bases: list[type]) -> None:
    """Show the nearest public bases of a class; what it has from others is on its page."""
    public = {found for found in map(resolve, public_objects()) if inspect.isclass(found)}
    above = [base for base in value.__mro__[1:] if base in public]
    bases[:] = [base for base in above if not any(issubclass(other, base) for other in above if other is not base)]


def summary(path: str) -> str:
    """The first sentence of an object's docstring."""
    return " ".join(description(path).partition("\n\n")[0].split())


def document(path: str, home: dict[str, str]) -> str:
    """The name of an object's page: where `layers.add` and `layers.Add` would be one file, the function's is longer."""
    name = path.rpartition(".")[2]
    if name.islower() and path in home and sum(path.lower() == other.lower() for other in set(home.values())) > 1:
        return f"{path}-function"
    return path


def module_page(place: str, modules: dict[str, types.ModuleType], home: dict[str, str]) -> str:
    """The page of a module: its docstring, and a table of its names."""
    module = modules[place]
    lines = [
        place,
        "=" * len(place),
        "",
        f".. module:: {place}",
        "",
        *plain((inspect.getdoc(module) or "").splitlines()),
    ]
    listed = [f"{place}.{name}" for name in public_names(module) if f"{place}.{name}" in home]
    if listed:
        lines += ["", ".. list-table::", "   :widths: 30 70", "   :class: names", ""]
    for path in listed:
        link = document(home[path], home)
        lines += [f"   * - :doc:`{path.rpartition('.')[2]} </{FOLDER}/{link}>`", f"     - {summary(path)}"]
    below = [other for other in modules if other.rpartition(".")[0] == place and place != ROOT]
    if below:
        lines += ["", "Modules:", "", *(f"- :doc:`{other} </{FOLDER}/{other}>`" for other in below)]
    own = [document(path, home) for path in listed if home[path] == path]
    lines += ["", ".. toctree::", "   :hidden:", "", *(f"   {name}" for name in [*own, *below]), ""]
    return "\n".join(lines)


@functools.cache
def linked_names() -> dict[str, str]:
    """The page of each name that code in running text may have: a whole path, one without `portanet.`, or a class."""
    objects = public_objects()
    home = {path: main for main, paths in objects.items() for path in paths}
    found = {path: document(main, home) for path, main in home.items()}
    found.update({path.removeprefix(f"{ROOT}."): page for path, page in list(found.items()) if path.count(".") > 1})
    for main in sorted(objects, key=lambda path: ("compat" in path, path)):
        name = main.rpartition(".")[2]
        if name[0].isupper() and not is_value(resolve(main)):
            found.setdefault(name, found[main])
    return found


def link_names(app: Any, tree: nodes.document) -> None:
    """Let code in running text that is a public name lead to its page."""
    here, names = app.env.current_document.docname, linked_names()
    for code in list(tree.findall(nodes.literal)):
        name = code.astext().partition("(")[0]
        beside = f"{here.removeprefix(f'{FOLDER}/').rpartition('.')[0]}.{name}"
        page = names.get(beside if name[:1].isupper() and beside in names else name)
        inside = isinstance(code.parent, nodes.title | nodes.reference | addnodes.pending_xref)
        if page is None or inside or here == f"{FOLDER}/{page}":
            continue
        link = addnodes.pending_xref(
            "", refdomain="std", reftype="doc", reftarget=f"/{FOLDER}/{page}", refexplicit=True
        )
        link["refdoc"], link["refwarn"] = here, True
        code.replace_self(link)
        link += code


def pages() -> Iterator[tuple[str, str]]:
    """Name and text of each page."""
    objects, modules = public_objects(), public_modules()
    home = {path: main for main, paths in objects.items() for path in paths}
    public = {value for value in map(resolve, objects) if inspect.isclass(value)}
    for place in modules:
        yield place, module_page(place, modules, home)
    for path, paths in objects.items():
        yield document(path, home), page(path, paths, public)


def write(app: Any) -> None:
    """Write the pages, and leave alone those that have not changed, so that Sphinx does not read them again."""
    folder = pathlib.Path(app.srcdir) / FOLDER
    folder.mkdir(exist_ok=True)
    texts = {f"{name}.rst": text for name, text in pages()}
    for path in folder.glob("*.rst"):
        if path.name not in texts:
            path.unlink()
    for name, text in texts.items():
        path = folder / name
        if not path.exists() or path.read_text() != text:
            path.write_text(text)


def setup(app: Any) -> dict[str, bool]:
    """Connect to Sphinx."""
    app.connect("builder-inited", write)
    app.connect("autodoc-process-docstring", process_docstring, priority=400)  # before napoleon
    app.connect("autodoc-process-bases", public_bases)
    app.connect("doctree-read", link_names)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
