"""Files written by an earlier version of Keras, with data and predictions from there."""

from __future__ import annotations

import pathlib

import numpy as np
import pytest

import portanet
from portanet.backends import Backend

pytest.importorskip("h5py")

FILES = pathlib.Path(__file__).parent / "files"


@pytest.mark.parametrize("name", ["conv", "rnn"])
def test_files_of_keras_3_0(name: str, backend: Backend) -> None:
    model = portanet.load_model(FILES / f"keras-3.0.5-{name}.keras")
    with np.load(FILES / f"keras-3.0.5-{name}.npz") as data:
        np.testing.assert_allclose(model.predict(data["x"]), data["y"], rtol=1e-4, atol=1e-5)
        if name == "conv":
            assert int(model.optimizer_state[1]["iterations"]) == 1
            assert isinstance(model.optimizer.rates, portanet.schedules.ExponentialDecay)
            assert len(model.evaluate(data["x"], np.zeros((4, 2)), verbose=0)) == 3
