"""Scripts for Keras run with the import changed, and compute what they compute with Keras."""

from __future__ import annotations

import pathlib
import re
from typing import Any

import numpy as np
import pytest

import portanet

keras = pytest.importorskip("keras")
pytestmark = pytest.mark.filterwarnings("default")  # what users would see

SCRIPTS = sorted((pathlib.Path(__file__).parent / "scripts").glob("*.py"))


def run(script: pathlib.Path, library: str) -> dict[str, Any]:
    """Run a script with another library in place of Keras; return its `results`."""
    source = script.read_text()
    source, plain = re.subn(r"^import keras$", f"import {library} as keras", source, flags=re.MULTILINE)
    source, _ = re.subn(r"^from keras import", f"from {library} import", source, flags=re.MULTILINE)
    assert plain == 1
    namespace: dict[str, Any] = {"__name__": script.stem}
    exec(compile(source, str(script), "exec"), namespace)
    return namespace["results"]


def check_same(result: Any, expected: Any, where: str) -> None:
    """Compare trees of numbers, arrays and strings."""
    if isinstance(expected, dict):
        assert isinstance(result, dict), where
        assert set(result) == set(expected), where
        for name, value in expected.items():
            check_same(result[name], value, f"{where}[{name!r}]")
    elif isinstance(expected, (list, tuple)):
        assert len(result) == len(expected), where
        for i, value in enumerate(expected):
            check_same(result[i], value, f"{where}[{i}]")
    elif expected is None or isinstance(expected, (str, bool)):
        assert result == expected, where
    else:
        result, expected = portanet.to_host(result), keras.ops.convert_to_numpy(expected)
        assert np.shape(result) == np.shape(expected), where
        np.testing.assert_allclose(result, expected, rtol=2e-4, atol=2e-5, err_msg=where)


@pytest.fixture(scope="module")
def expected() -> dict[str, dict[str, Any]]:
    """Results with Keras, by script."""
    return {}


@pytest.mark.parametrize("library", ["numpy", "torch"])
@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_a_script_needs_only_another_import(
    script: pathlib.Path, library: str, expected: dict[str, dict[str, Any]]
) -> None:
    if script.stem not in expected:
        keras.utils.clear_session()
        expected[script.stem] = run(script, "keras")
    with portanet.use_backend(library):
        check_same(run(script, "portanet"), expected[script.stem], "results")
