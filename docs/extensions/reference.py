"""Sphinx extension: a page for each public object, in the module from which users import it.

sphinx.ext.autosummary would write stubs for `__all__` as well, but one copy for each path under which Keras has an
object; here an object has one page, which all its paths lead to, and methods are those that its class adds.
"""

from __future__ import annotations

import importlib
import inspect
import pathlib
import re
import types
from collections.abc import Iterator
from typing import Any

from sphinx.pycode import ModuleAnalyzer

ROOT = "portanet"
FOLDER = "api"
FURTHER = (
    "applications.imagenet_utils",
    "autodiff.linalg",
    "autodiff.special",
    "backends",
    "compat.numpydl",
    "random.streams",
)
"""Public modules that no package names in `__all__`."""


def public_names(module: types.ModuleType) -> list[str]:
    """`__all__`, or the names that a module without it defines."""
    if hasattr(module, "__all__"):
        return sorted(module.__all__)
    return sorted(
        name
        for name, value in vars(module).items()
        if getattr(value, "__module__", None) == module.__name__ and not name.startswith("_")
    )


def public_modules() -> dict[str, types.ModuleType]:
    """The modules that users import, by path: those that packages name in `__all__`, and below them."""
    found: dict[str, types.ModuleType] = {}
    waiting = [ROOT, *(f"{ROOT}.{name}" for name in FURTHER)]
    while waiting:
        path = waiting.pop(0)
        module = importlib.import_module(path)
        found[path] = module
        below = (f"{path}.{name}" for name in public_names(module) if is_module(getattr(module, name)))
        waiting += [name for name in below if name not in found]
    return found


def is_module(value: Any) -> bool:
    """Whether a public name is a module of the library."""
    return inspect.ismodule(value) and value.__name__.startswith(f"{ROOT}.")


def is_value(value: Any) -> bool:
    """Whether a public object is neither class nor function."""
    return not (inspect.isclass(value) or inspect.isroutine(value))


def public_objects() -> dict[str, list[str]]:
    """The path of each public object's page, with all paths of the object."""
    paths: dict[Any, list[str]] = {}
    values: dict[Any, Any] = {}
    for place, module in public_modules().items():
        for name in public_names(module):
            value = getattr(module, name)
            if not inspect.ismodule(value):
                path = f"{place}.{name}"
                key = (name, repr(value)) if is_value(value) else id(value)
                paths.setdefault(key, []).append(path)
                values[key] = value
    return {min(found, key=lambda path: rank(path, values[key])): sorted(found) for key, found in paths.items()}


def rank(path: str, value: Any) -> tuple[bool, bool, int, bool, str]:
    """The least is the path of the page: functions of the root are there, other things in the package of their kind."""
    place, _, name = path.rpartition(".")
    defined, own_name = getattr(value, "__module__", None) or "", getattr(value, "__name__", name)
    at_root = place == ROOT and inspect.isroutine(value)
    here = place != ROOT and defined.startswith(place)
    return (not at_root, not here, path.count("."), name != own_name, path)


def resolve(path: str) -> Any:
    """The object of a path."""
    place, _, name = path.rpartition(".")
    return getattr(importlib.import_module(place), name)


def members(value: type, public: set[type]) -> list[str]:
    """Documented methods and properties that a class has and its public bases have not."""
    found: list[str] = []
    for base in value.__mro__:
        if base is not value and (base in public or not base.__module__.startswith(f"{ROOT}.")):
            continue
        found += [name for name, member in vars(base).items() if shown(name, member) and name not in found]
    inherited = {name for base in value.__mro__[1:] if base in public for name in members(base, public)}
    own = vars(value)
    return sorted(name for name in found if name not in inherited or name in own)


def shown(name: str, member: Any) -> bool:
    """Whether an attribute of a class is on its page."""
    function = member.__func__ if isinstance(member, classmethod | staticmethod) else member
    function = function.fget if isinstance(function, property) else function
    ours = getattr(function, "__module__", "").startswith(f"{ROOT}.")
    return ours and not name.startswith("_") and inspect.isroutine(function) and bool(function.__doc__)


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
    return {"parallel_read_safe": True, "parallel_write_safe": True}
