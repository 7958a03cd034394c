"""Whole models as HDF5 files; tests/keras/test_legacy_models.py exchanges them with Keras."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.saving import LoadError

h5py = pytest.importorskip("h5py")

WARNING = "HDF5 is the format of Keras before version 3"
X, Y = np.arange(12.0).reshape(6, 2) / 12, np.ones((6, 1))


def model() -> portanet.Model:
    portanet.random.set_seed(1)
    x = layers.Input((2,))
    body = portanet.Sequential([layers.Input((2,)), layers.Dense(2, "tanh"), layers.BatchNormalization()], name="body")
    built = portanet.Model(x, layers.Dense(1)(layers.Add()([body(x), x])))
    built.compile(portanet.optimizers.Adam(0.1), "mse", metrics=["mae"])
    return built


def saved(made: Any, path: pathlib.Path) -> pathlib.Path:
    with pytest.warns(UserWarning, match=WARNING):
        made.save(path)
    return path


@pytest.mark.parametrize("name", ["m.h5", "m.hdf5"])
def test_round_trips(name: str, backend: Any, tmp_path: pathlib.Path) -> None:
    made = model()
    made.fit(X, Y, batch_size=3, verbose=0)
    loaded = portanet.load_model(saved(made, tmp_path / name))
    np.testing.assert_array_equal(loaded.predict(X), made.predict(X))
    assert loaded.evaluate(X, Y, verbose=0) == made.evaluate(X, Y, verbose=0)
    histories = [each.fit(X, Y, shuffle=False, verbose=0).history for each in (made, loaded)]
    assert histories[0] == histories[1]
    np.testing.assert_array_equal(loaded.predict(X), made.predict(X))
    assert portanet.load_model(tmp_path / name, compile=False).optimizer is None
    other = model()
    other.load_weights(tmp_path / name)
    assert other.named_variables().keys() == made.named_variables().keys()


def test_models_of_other_kinds_are_refused(tmp_path: pathlib.Path) -> None:
    class Own(portanet.Model):
        def call(self, x: Any) -> Any:
            return x

    for made, received in (
        (Own(), "a subclass"),
        (portanet.Sequential([layers.Dense(1)]), "a model that is not built"),
    ):
        if isinstance(made, Own):
            made(portanet.ops.ones((1, 2)))
        with pytest.raises(ValueError, match=rf"end the name in \.keras to save model .*Received: {received}"):
            made.save(tmp_path / "m.h5")
    assert list(tmp_path.iterdir()) == []


def test_long_lists_of_names_are_divided(tmp_path: pathlib.Path) -> None:
    names = [f"{'long' * 60}_{i}" for i in range(300)]
    made = portanet.Sequential(
        [layers.Input((1,)), *(layers.Rescaling(0.5 if i else 1.0, name=n) for i, n in enumerate(names))]
    )
    path = saved(made, tmp_path / "m.h5")
    with h5py.File(path) as file:
        assert "layer_names" not in file["model_weights"].attrs
    assert [layer.name for layer in portanet.load_model(path).layers] == names


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("model_config", None, r"it holds weights alone; create the model, and call model\.load_weights"),
        ("model_config", "{", "its model_config is not JSON"),
        ("model_config", "[1]", r"its model_config is not a JSON object. Received: \[1\]"),
        ("model_config", json.dumps({"class_name": "Dense", "config": {"units": 1, "name": "d"}}), "it is no model"),
        ("model_config", json.dumps({"class_name": "Own", "config": {}}), "it names the class 'Own'"),
        ("model_config", '{"class_name":"Model","config":' * 900 + "{}" + "}" * 900, "maximum recursion depth"),
        ("training_config", "3", "its training_config is not a JSON object"),
    ],
)
def test_descriptions_that_are_refused(name: str, value: Any, message: str, tmp_path: pathlib.Path) -> None:
    path = saved(model(), tmp_path / "m.h5")
    with h5py.File(path, "a") as file:
        del file.attrs[name]
        if value is not None:
            file.attrs[name] = value
    with pytest.raises(LoadError, match=message):
        portanet.load_model(path)
