"""Every public name has a page in the site's reference, and every docstring there an example and its arguments."""

from __future__ import annotations

import importlib.util
import inspect
import pathlib
import re
import types
from typing import Any

import pytest

from tests.test_public_names import CHANGED

ROOT = pathlib.Path(__file__).parent.parent
LISTED = (ROOT / "tests" / "data" / "public_names.txt").read_text().splitlines()
OPERANDS = {
    *("x", "x1", "x2", "xs", "y", "inputs", "arrays", "trees", "tensors", "y_true", "y_pred", "A", "f"),
    *("axis", "keepdims", "dtype", "data_format"),
}
"""Arguments that the summary of a function is about, or that mean the same in all functions of a module."""

ELSEWHERE = re.compile(r"(see|those of|the same as|result of) `[\w.]+`", flags=re.IGNORECASE)
"""How a docstring names another one, which has the arguments."""
FOR_AUTHORS = ("portanet.backends.", "portanet.random.streams.")
"""Modules for those who write backends or layers with draws of their own: an example or arguments may be missing."""
WITHOUT_EXAMPLE = {"portanet.optimizers.Optimizer", "portanet.training.Trainer", "portanet.autodiff.TracedArray"}
"""Two bases, whose subclasses have examples, and what traced functions are given, which nobody creates."""


@pytest.fixture(scope="module")
def public() -> types.ModuleType:
    """What the site's reference has pages of."""
    pytest.importorskip("sklearn")
    path = ROOT / "docs" / "extensions" / "public.py"
    spec = importlib.util.spec_from_file_location("public", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def documented(public: types.ModuleType) -> dict[str, Any]:
    """Classes and functions with pages; exceptions say when they are raised, and need no example."""
    found = {path: public.resolve(path) for path in public.public_objects()}
    shown = {
        path: value for path, value in found.items() if not path.startswith(FOR_AUTHORS) and path not in WITHOUT_EXAMPLE
    }
    return {path: value for path, value in shown.items() if not public.is_value(value) and not raised(value)}


def raised(value: Any) -> bool:
    return inspect.isclass(value) and issubclass(value, BaseException)


def test_every_public_name_has_a_page(public: types.ModuleType) -> None:
    objects = public.public_objects()
    known = {path for paths in objects.values() for path in paths} | set(public.public_modules())
    classes = {value for value in map(public.resolve, objects) if inspect.isclass(value)}
    home = {path: main for main, paths in objects.items() for path in paths}
    lost = []
    for name in (line.partition("(")[0] for line in LISTED):
        place, _, method = name.rpartition(".")
        on_page = place in home and any(
            method in public.members(base, classes) or hasattr(base, method)
            for base in public.resolve(home[place]).__mro__
            if base in classes
        )
        if name not in known and name not in CHANGED and not on_page:
            lost.append(name)
    assert lost == []


def test_every_object_has_one_page(public: types.ModuleType) -> None:
    objects = public.public_objects()
    paths = [path for found in objects.values() for path in found]
    assert len(paths) == len(set(paths))
    assert set(objects) <= set(paths)


def test_every_docstring_has_an_example(public: types.ModuleType) -> None:
    assert [path for path, value in documented(public).items() if ">>>" not in (value.__doc__ or "")] == []


def test_every_docstring_has_the_arguments(public: types.ModuleType) -> None:
    assert [path for path, value in documented(public).items() if lacks_arguments(value)] == []


def lacks_arguments(value: Any) -> bool:
    """Whether a docstring neither lists arguments nor names an object that does."""
    text = value.__doc__ or ""
    try:
        names = set(inspect.signature(value).parameters)
    except ValueError:  # a class whose base is written in C
        return False
    return (
        bool(names - OPERANDS) and re.search(r"\b(Args|Attributes):\n", text) is None and ELSEWHERE.search(text) is None
    )


def test_that_arguments_are_missed() -> None:
    def f(x: Any, rate: float) -> None:
        """Nothing."""

    def g(x: Any, rate: float) -> None:
        """Nothing; see `f`."""

    assert [lacks_arguments(f), lacks_arguments(g)] == [True, False]


def test_every_room_is_in_the_list_of_the_reference(public: types.ModuleType) -> None:
    listed = set(re.findall(r"<api/([\w.]+)>", (ROOT / "docs" / "reference.md").read_text()))
    assert {place for place in public.public_modules() if place.count(".") <= 1} - listed == set()
