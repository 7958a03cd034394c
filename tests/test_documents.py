"""The Python examples of README.md run (those in docs/ are doctests); what docs/architecture.md names exists."""

from __future__ import annotations

import functools
import importlib.util
import pathlib
import re
import tomllib

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_examples_of_the_readme_run_and_print_what_is_beside_them(
    capsys: pytest.CaptureFixture[str], tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) == 3
    for block in blocks:
        exec(block, names)
    np.testing.assert_allclose(names["slope"], [0.0, -2 / np.e])  # type: ignore[arg-type]
    shown = "".join(re.findall(r"```text\n(.*?)```", README, flags=re.DOTALL)[:2]).splitlines()
    printed = capsys.readouterr().out.splitlines()
    assert len(printed) == len(shown) == 10
    number = r"\d\.\d*"
    for ours, theirs in zip(printed, shown, strict=True):
        assert re.sub(number, "", ours).split() == re.sub(number, "", theirs).split()
        pairs = list(zip(re.findall(number, ours), re.findall(number, theirs), strict=True))
        if ours.startswith("Epoch"):
            del pairs[0]  # seconds
        assert all(abs(float(a) - float(b)) < 0.02 for a, b in pairs), ours


def test_the_examples_of_the_readme_need_no_extra() -> None:
    code = "".join(re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL))
    assert set(re.findall(r"^(?:import|from) (\w+)", code, flags=re.MULTILINE)) == {"numpy", "portanet"}
    before = README[: README.index("```python")]
    assert "python -m pip install ." in before


LINK = re.compile(r"\]\((?!https?:|#)([^)\s]+)\)")


def test_links_of_the_readme_exist_and_are_absolute_on_a_package_index() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    there = [link.partition("#")[0] for link in LINK.findall(README)]
    assert "docs/pictures/digits.png" in there
    assert [link for link in there if not (ROOT / link).exists()] == []
    text = README
    for rule in project["tool"]["hatch"]["metadata"]["hooks"]["fancy-pypi-readme"]["substitutions"]:
        text = re.sub(rule["pattern"], rule["replacement"], text)
    assert LINK.findall(text) == []
    pages = project["project"]["urls"]["Source"]
    assert f"]({pages}/blob/main/LICENSE)" in text
    assert f"]({pages}/raw/main/docs/pictures/digits.png)" in text
    assert "](https://data-apis.org/array-api/latest/)" in text


def test_the_extras_that_are_named_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = set(re.findall(r"extra `(\w+)`|or `(\w+)` \(CUDA", README)) - {("", "")}
    assert {a or b for a, b in named} == {"cupy13", "cupy12", "torch", "jax", "mlx", "dpnp", "strict", "cudnn"}
    assert {a or b for a, b in named} <= set(extras)


ARCHITECTURE = (ROOT / "docs" / "architecture.md").read_text()


def test_the_architecture_shows_every_package_in_the_order_of_the_contract() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["id"] == "layers")
    there = {path.stem for path in (ROOT / "portanet").iterdir()}
    allowed = [set(re.findall(r"\w+", layer)) & there for layer in layers]
    packages = {path.parent.name for path in (ROOT / "portanet").glob("[a-z]*/__init__.py")}
    assert packages <= {path.name for path in (ROOT / "tests").iterdir()}  # "tests of NAME are in tests/NAME"
    rows = re.findall(r"^\| (`.*?) \|", ARCHITECTURE, flags=re.MULTILINE)
    assert [set(re.findall(r"`(\w+)(?:/|\.py)`", row)) for row in rows] == [names for names in allowed if names]


def test_what_the_architecture_names_exists() -> None:
    code = set(re.findall(r"`([^`\s]+)`|\]\(([\w./-]+)\)", ARCHITECTURE))
    named = {span or link for span, link in code if "NAME" not in span}
    assert len(named) > 80
    assert [name for name in sorted(named) if not is_there(name)] == []


def test_what_the_architecture_says_is_in_a_file_is_in_it() -> None:
    pairs = re.findall(r"`([\w.]+)`,?\s+(?:in\s+|\()`([\w/]+\.py)`", ARCHITECTURE)
    assert len(pairs) > 20
    wrong = [(name, file) for name, file in pairs if name.split(".")[-1] not in words_of(ROOT / file)]
    assert wrong == []


def is_there(name: str) -> bool:
    """Whether a path, a dotted name or a word of the page exists in the tree; commands are not checked."""
    if "/" in name or name.endswith((".md", ".py", ".toml")):
        return any((folder / name).exists() for folder in (ROOT, ROOT / "portanet", ROOT / "docs"))
    first, *rest = name.split(".")
    if not rest:
        return name in words() or not name.isidentifier()
    if first == "portanet" or importlib.util.find_spec(f"portanet.{first}") is not None:
        return reaches(importlib.import_module("portanet"), rest if first == "portanet" else [first, *rest])
    return any(reaches(importlib.import_module(place), [first, *rest]) for place in classes().get(first, []))


@functools.cache
def words() -> set[str]:
    return set().union(*map(words_of, ROOT.glob("[pt]*/**/*.py")))


def words_of(path: pathlib.Path) -> set[str]:
    return set(re.findall(r"\w+", path.read_text()))


@functools.cache
def classes() -> dict[str, list[str]]:
    """The modules that define a class, by its name."""
    result: dict[str, list[str]] = {}
    for path in (ROOT / "portanet").rglob("*.py"):
        place = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for name in re.findall(r"^class (\w+)", path.read_text(), flags=re.MULTILINE):
            result.setdefault(name, []).append(place)
    return result


def reaches(value: object, path: list[str]) -> bool:
    """Whether a value has a nested attribute."""
    try:
        functools.reduce(getattr, path, value)
    except AttributeError:
        return False
    return True
