"""Checks on the source tree, and that these checks can fail."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parent.parent


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    there = tmp_path_factory.mktemp("copy")
    shutil.copytree(ROOT / "portanet", there / "portanet", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", there)
    return there


@pytest.mark.parametrize(
    ("path", "line", "complaint"),
    [
        ("layers/wrong.py", "import torch", "portanet.layers.wrong -> torch"),
        ("models/wrong.py", "import array_api_compat.torch", "portanet.models.wrong -> array_api_compat"),
        ("training/wrong.py", "def f():\n    import cupy", "portanet.training.wrong -> cupy"),
        ("backends/wrong.py", "import portanet.autodiff", "portanet.backends.wrong -> portanet.autodiff"),
        ("autodiff/wrong.py", "from portanet.layers import Dense", "portanet.autodiff.wrong -> portanet.layers"),
        ("fused/wrong.py", "import numpy as np", "portanet.fused.wrong -> numpy"),
        ("fused/wrong.py", "import portanet.autodiff.traced", "portanet.fused.wrong -> portanet.autodiff.traced"),
        ("wrong.py", "", "portanet.wrong"),
    ],
)
def test_import_contracts_catch_a_violation(copy: pathlib.Path, path: str, line: str, complaint: str) -> None:
    pytest.importorskip("importlinter")
    wrong = copy / "portanet" / path
    wrong.write_text(line + "\n")
    command = [str(pathlib.Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    try:
        done = subprocess.run(command, cwd=copy, capture_output=True, text=True, check=False)
    finally:
        wrong.unlink()
    assert done.returncode == 1, done.stdout + done.stderr
    assert complaint in re.sub(r"\s+", " ", done.stdout), done.stdout
