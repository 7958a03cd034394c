"""The functions of a page of the gallery, without running the page."""

from __future__ import annotations

import ast
import pathlib
import types

GALLERY = pathlib.Path(__file__).parents[2] / "docs" / "gallery"
DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)


def load(name: str) -> types.ModuleType:
    """A page as a module: its imports, constants in capitals, functions and classes; no other line is executed.

    Args:
        name: The path in `docs/gallery` without `.py`, such as `"foundations/activations"`.
    """
    path = GALLERY / f"{name}.py"
    tree = ast.parse(path.read_text(), filename=str(path))
    tree.body = [statement for statement in tree.body if isinstance(statement, DEFINITIONS) or constant(statement)]
    module = types.ModuleType(name.replace("/", "."))
    module.__file__ = str(path)
    exec(compile(tree, str(path), "exec", dont_inherit=True), module.__dict__)
    return module


def constant(statement: ast.stmt) -> bool:
    """Whether a statement assigns to a name in capitals."""
    if not isinstance(statement, ast.Assign):
        return False
    return all(isinstance(target, ast.Name) and target.id.isupper() for target in statement.targets)
