"""Files about the project: one version everywhere, and nothing that names what does not exist."""

from __future__ import annotations

import pathlib
import re
import tomllib

import portanet

ROOT = pathlib.Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_the_version_is_the_same_everywhere() -> None:
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), flags=re.MULTILINE)
    assert newest is not None
    assert newest[1] == portanet.__version__ == portanet.version()
    assert f"\nversion: {portanet.__version__}\n" in (ROOT / "CITATION.cff").read_text()


def test_the_urls_are_those_of_one_project() -> None:
    source = PROJECT["urls"]["Source"]
    assert PROJECT["urls"]["Issues"].startswith(source)
    assert f"repository-code: {source}\n" in (ROOT / "CITATION.cff").read_text()
    assert f"url: {PROJECT['urls']['Documentation']}\n" in (ROOT / "CITATION.cff").read_text()


def test_the_versions_of_python_are_those_that_are_tested() -> None:
    prefix = "Programming Language :: Python :: 3."
    named = [
        line.removeprefix("Programming Language :: Python :: ") for line in PROJECT["classifiers"] if prefix in line
    ]
    assert PROJECT["requires-python"] == f">={named[0]}"
    listed = ", ".join(f'"{version}"' for version in named)
    assert f"python=[{listed}]" in (ROOT / "noxfile.py").read_text()
    assert f"python: [{listed}]" in (ROOT / ".github" / "workflows" / "tests.yml").read_text()


def test_workflows_run_sessions_that_exist() -> None:
    nox = (ROOT / "noxfile.py").read_text()
    exist = {*re.findall(r"^def (\w+)", nox, flags=re.MULTILINE), *re.findall(r'name="([^"]+)"', nox)}
    run: set[str] = set()
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        text = path.read_text()
        for sessions in re.findall(r"nox -s ([a-z ]+)", text):
            run.update(sessions.split())
        run.update(re.findall(r"^          - ([a-z_]+(?:\(.*\))?)$", text, flags=re.MULTILINE))
    assert len(run) >= 16
    assert run <= exist


def test_hooks_use_the_linter_that_is_required() -> None:
    required = next(line for line in PROJECT["optional-dependencies"]["lint"] if line.startswith("ruff=="))
    assert f"rev: v{required.removeprefix('ruff==')}\n" in (ROOT / ".pre-commit-config.yaml").read_text()
