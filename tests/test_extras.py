"""Hints for optional libraries: one function writes them, and what they name exists."""

from __future__ import annotations

import importlib.metadata
import pathlib
import re
import tomllib

import pytest

from portanet.extras import install_command

ROOT = pathlib.Path(__file__).parent.parent


def test_where_portanet_is_installed_pip_knows_its_extras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.metadata, "distribution", lambda name: name)
    assert install_command("torch") == "pip install 'portanet[torch]'"


def test_where_it_is_not_the_command_names_the_clone(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise importlib.metadata.PackageNotFoundError(name)

    monkeypatch.setattr(importlib.metadata, "distribution", missing)
    assert install_command("torch") == f"pip install -e '{ROOT.resolve()}[torch]'"


def test_hints_come_from_that_function_and_name_extras() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    sources = {path: path.read_text() for path in (ROOT / "portanet").rglob("*.py")}
    named = [name for text in sources.values() for name in re.findall(r"install_command\([\"'](\w+)", text)]
    assert len(named) > 15
    assert set(named) <= set(extras)
    own = [path.name for path, text in sources.items() if "pip install 'portanet" in text]
    assert own == ["extras.py"]
