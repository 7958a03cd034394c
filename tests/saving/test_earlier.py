"""Files of an earlier version load on every backend, and training continues as it did there."""

from __future__ import annotations

import pathlib
import shutil
from typing import Any

import numpy as np
import pytest

import portanet
from portanet.backends import Backend
from tests.saving.earlier import FILES, GRAPH_X, GRAPH_Y, X, Y, continued, sequential, with_backup

EXPECTED = dict(np.load(FILES / "expected.npz"))
DATA: dict[str, tuple[Any, Any]] = {"sequential": (X, Y), "graph": (GRAPH_X, GRAPH_Y)}


def assert_as_before(kind: str, actual: Any) -> None:
    """Compare an array, or a dict of arrays or histories, with the stored ones whose names start with `kind`."""
    parts = actual if isinstance(actual, dict) else {"": actual}
    assert {f"{kind}/{part}" for part in parts} == {name for name in EXPECTED if name.startswith(f"{kind}/")}
    for part, values in parts.items():
        np.testing.assert_allclose(values, EXPECTED[f"{kind}/{part}"], rtol=1e-5, atol=1e-5, err_msg=f"{kind}/{part}")


@pytest.mark.parametrize("name", DATA)
def test_a_model_predicts_and_trains_on_as_it_did(backend: Backend, name: str) -> None:
    x, y = DATA[name]
    model = portanet.load_model(FILES / f"{name}.safetensors")
    assert (model.position.epoch, model.position.batch) == (2, 0)
    assert_as_before(f"{name}/before", model.predict(x))
    assert_as_before(f"{name}/history", continued(model, x, y))
    assert_as_before(f"{name}/after", model.predict(x))
    with pytest.raises(AssertionError):  # the compared values changed in training
        assert_as_before(f"{name}/before", model.predict(x))


def test_weights_load_into_a_new_model(backend: Backend) -> None:
    model = sequential()
    model.load_weights(FILES / "weights.safetensors")
    assert_as_before("sequential/before", model.predict(X))


def test_a_run_that_was_stopped_goes_on_from_its_backup(backend: Backend, tmp_path: pathlib.Path) -> None:
    shutil.copy(FILES / "state.safetensors", tmp_path)
    position = portanet.load_model(tmp_path / "state.safetensors").position
    assert (position.epoch, position.batch) == (1, 1)
    model, history = with_backup(tmp_path)
    assert_as_before("state/history", history)
    assert_as_before("state/after", model.predict(X))
