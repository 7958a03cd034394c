"""Graphs whose class takes further arguments: configurations, copies and files hold these, as in Keras."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers


@portanet.saving.register_keras_serializable("graphs_of_subclasses")
class Scaled(portanet.Model):
    """A graph and a factor, which files hold because `get_config` says so."""

    def __init__(self, *args: Any, factor: float = 1.0, sizes: Any = None, **options: Any) -> None:
        super().__init__(*args, **options)
        self.factor, self.sizes = factor, sizes

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "factor": self.factor, "sizes": self.sizes}

    def scaled(self, x: Any) -> Any:
        return self(x) * self.factor


def made() -> Scaled:
    inputs = layers.Input((3,))
    return Scaled(inputs, layers.Dense(2)(inputs), factor=3.0, sizes=[1, {"a": 2}], name="scaled")


def test_configurations_and_copies() -> None:
    model = made()
    again = Scaled.from_config(model.get_config())
    for other in (again, portanet.models.clone_model(model)):
        assert type(other) is Scaled
        assert (other.factor, other.sizes, other.name) == (3.0, [1, {"a": 2}], "scaled")


@pytest.mark.parametrize("ending", ["keras", "safetensors"])
def test_files(tmp_path: pathlib.Path, ending: str) -> None:
    if ending == "keras":
        pytest.importorskip("h5py")
    model, x = made(), portanet.asarray(np.ones((2, 3), "float32"))
    model.save(tmp_path / f"model.{ending}")
    loaded = portanet.load_model(tmp_path / f"model.{ending}")
    assert (loaded.factor, loaded.sizes, loaded.name) == (3.0, [1, {"a": 2}], "scaled")
    np.testing.assert_allclose(portanet.to_host(loaded.scaled(x)), portanet.to_host(model.scaled(x)), rtol=1e-6)
