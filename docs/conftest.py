"""What the examples in these pages write lands in a temporary folder, and the backend is NumPy at first."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

import pytest

import portanet


@pytest.fixture(autouse=True)
def _folder(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    with portanet.use_backend("numpy"):
        yield
