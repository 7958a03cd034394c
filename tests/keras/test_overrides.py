"""Methods that a user's subclass overrides are called where Keras calls them, with the same effect."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

import portanet
from tests.keras.overrides import layers, models, objectives, several_inputs, training  # noqa: F401 -- they add to the cases
from tests.keras.overrides.cases import CASES, plain
from tests.keras.test_scripts import check_same

keras: Any = pytest.importorskip("keras")
pytestmark = [
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*mask:UserWarning"),  # which a layer drops
]

Found = tuple[set[str], Any]


def found(library: Any, name: tuple[str, str], folder: pathlib.Path) -> Found:
    """Which methods a case has seen called, and its results."""
    seen: set[str] = set()
    folder.mkdir()
    library.utils.clear_session()
    results = CASES[name](library, seen.add, folder)
    return seen, plain(library, results)


@pytest.fixture(scope="module")
def expected() -> dict[tuple[str, str], Found]:
    """What Keras does, by case."""
    return {}


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("name", CASES, ids=" ".join)
def test_overridden(
    name: tuple[str, str], library: str, expected: dict[tuple[str, str], Found], tmp_path: pathlib.Path
) -> None:
    if name not in expected:
        expected[name] = found(keras, name, tmp_path / "keras")
    with portanet.use_backend(library):
        seen, results = found(portanet, name, tmp_path / "portanet")
    assert seen == expected[name][0]
    check_same(results, expected[name][1], "results")
