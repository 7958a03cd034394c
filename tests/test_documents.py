"""The Python examples of README.md run (those in docs/ are doctests)."""

from __future__ import annotations

import pathlib
import re
import tomllib

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_examples_of_the_readme_run(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("sklearn")
    names: dict[str, object] = {}
    blocks = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    assert len(blocks) >= 2
    for block in blocks:
        exec(block, names)
    assert names["accuracy"] > 0.85  # type: ignore[operator]
    np.testing.assert_allclose(names["slope"], [0.0, -2 / np.e])  # type: ignore[arg-type]


def test_the_extras_that_are_named_exist() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = set(re.findall(r"extra `(\w+)`|or `(\w+)` \(CUDA", README)) - {("", "")}
    assert {a or b for a, b in named} == {"cupy13", "cupy12", "torch", "jax", "strict"}
    assert {a or b for a, b in named} <= set(extras)
