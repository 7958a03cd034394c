"""A run that moves between backends continues as it would have on the first."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

from portanet.backends import Backend
from tests.portability.moving import EPOCHS, losses, stayed


@pytest.mark.parametrize("through_a_file", [False, True])
def test_there_and_back(backend: Backend, tmp_path: pathlib.Path, through_a_file: bool) -> None:
    legs = [("numpy", None), (backend.name, backend.device), ("numpy", None)]
    result = losses(legs, tmp_path if through_a_file else None)
    np.testing.assert_allclose(result, stayed(3 * EPOCHS), rtol=1e-5)


def test_without_the_optimizers_state_it_would_show(backend: Backend, monkeypatch: pytest.MonkeyPatch) -> None:
    from portanet.training import TrainingRun

    begin = TrainingRun.__init__

    def forgetful(self: TrainingRun, model: object) -> None:
        model.optimizer_state = None  # type: ignore[attr-defined]
        begin(self, model)  # type: ignore[arg-type]

    monkeypatch.setattr(TrainingRun, "__init__", forgetful)
    result = losses([("numpy", None), (backend.name, backend.device)])
    assert np.max(np.abs(np.asarray(result) / stayed(2 * EPOCHS) - 1)) > 1e-3
