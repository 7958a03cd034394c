"""`get_config` of layers and models: what Keras returns, and what either library creates an equal object from."""

from __future__ import annotations

import copy
import json
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, saving
from portanet.configurable import arguments_of
from tests.keras.file_layers import CASES

keras = pytest.importorskip("keras")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

OTHERWISE = {"name", "factor", "x_factor", "y_factor", "addition_factor", "threshold_factor", "scale", "sigma"}
OTHERWISE |= {"axis", "attention_axes", "output_shape", "value_dim", "max_freq", "sequence_length"}
"""Numbers that Keras keeps as ranges, lists or for what is left open; and names, which it counts."""
NESTED = ("Bidirectional", "RNN", "TimeDistributed", "Pipeline")
OWN_DTYPE = ("SpatialDropout",)  # whose policy Keras describes by its name
NOT_IN_KERAS = ("GroupQueryAttention",)  # which Keras cannot create from what it writes


@pytest.mark.parametrize("name", CASES)
def test_layers_have_the_configuration_of_keras(name: str) -> None:
    make = CASES[name][0]
    ours, theirs = make(layers), make(keras.layers)
    config, expected = json.loads(json.dumps(ours.get_config())), json.loads(json.dumps(theirs.get_config()))
    assert config["name"] == ours.name
    if not name.startswith(NESTED):
        different = {key for key in config.keys() & expected.keys() if config[key] != expected[key]}
        assert different <= OTHERWISE | ({"dtype"} if name.startswith(OWN_DTYPE) else set())
    assert type(ours).from_config(copy.deepcopy(config)).get_config().keys() == config.keys()
    again = type(ours).from_config(theirs.get_config())
    assert (type(again), again.name) == (type(ours), theirs.name)
    if not name.startswith(NOT_IN_KERAS):
        made = type(theirs).from_config(copy.deepcopy(config))
        assert (type(made), made.name) == (type(theirs), ours.name)


def triple(x: Any) -> Any:
    return 3 * x


class Scaled(layers.Layer):
    """Not registered, without `**options`."""

    def __init__(self, factor: float, inner: Any = None) -> None:
        super().__init__()
        self.factor, self.inner = factor, inner

    def call(self, x: Any) -> Any:
        return x * self.factor

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        assert config["name"] == self.name
        return dict(factor=self.factor, **config)


def test_objects_of_the_user_and_of_portanet_alone() -> None:
    layer = layers.Dense(2, activation=triple, kernel_initializer=lambda shape, dtype=None: np.ones(shape))
    assert layer.get_config()["activation"]["config"] == "triple"
    again = layers.Dense.from_config(layer.get_config())
    assert (again.activation, again.kernel_initializer) == (triple, layer.kernel_initializer)
    wrapped = layers.TimeDistributed(layers.Highway(carry_bias=-3.0, dtype="float64", trainable=False))
    config = json.loads(json.dumps(wrapped.get_config()))
    inner = layers.TimeDistributed.from_config(config).layer
    assert (type(inner), inner._config["carry_bias"], inner.dtype, inner.trainable) == (
        layers.Highway,
        -3.0,
        "float64",
        False,
    )
    own = Scaled(2.0, layers.Dense(3))
    own.name = "mine"
    again = Scaled.from_config(own.get_config())
    assert (again.name, again.factor, again.inner) == ("mine", 2.0, None)  # which `get_config` leaves out
    assert arguments_of(own)["inner"] is own.inner
    stack = portanet.Sequential([layers.Input((3,)), own, portanet.Sequential([layers.Dense(2)])], name="stack")
    twin = portanet.Sequential.from_config(stack.get_config())
    assert (twin.name, [each.name for each in twin.layers]) == ("stack", ["mine", "sequential"])
    with pytest.raises(saving.LoadError, match="names the class 'Scaled'"):
        portanet.Sequential.from_config(json.loads(json.dumps(stack.get_config())))
    plain = json.loads(json.dumps(stack.get_config()))
    assert portanet.Sequential.from_config(plain, custom_objects={"Scaled": Scaled}).layers[0].factor == 2.0


def networks(library: Any) -> list[Any]:
    L = library.layers
    x = L.Input((4,), name="x")
    hidden = L.Dense(3, name="hidden")(x)
    graph = library.Model(x, {"a": (hidden, hidden * 2), "b": [L.Dense(2, name="out")(hidden)]}, name="graph")
    stack = library.Sequential([L.Input((4,), name="x"), L.Dense(3, name="first")], name="stack")
    return [graph, stack]


@pytest.mark.parametrize("which", [0, 1])
def test_models_have_the_configuration_of_keras(which: int) -> None:
    ours, theirs = networks(portanet)[which], networks(keras)[which]
    config, expected = ours.get_config(), theirs.get_config()
    assert config.keys() == expected.keys()
    assert [entry["config"]["name"] for entry in config["layers"]][:2] == (
        [entry["config"]["name"] for entry in expected["layers"]][:2]
    )
    x = np.ones((2, 4), "float32")
    for library, model, given in ((portanet, ours, expected), (keras, theirs, config)):
        kind = library.Model if which == 0 else library.Sequential
        plain = json.loads(json.dumps(given))
        twin = kind.from_config(plain)
        twin.set_weights(model.get_weights())
        out, again = model.predict(x, verbose=0), twin.predict(x, verbose=0)
        if which == 0:
            out, again = out["b"][0], again["b"][0] if isinstance(again["b"], list) else again["b"]
        np.testing.assert_allclose(np.asarray(again), np.asarray(out), rtol=1e-5)
    twin = (portanet.Model if which == 0 else portanet.Sequential).from_config(config)
    assert twin.get_config() == config
    if which == 0:
        assert isinstance(twin(x)["a"], tuple)


class Own(portanet.Model):
    """A graph with a constructor of its own."""

    def __init__(self, units: int, **options: Any) -> None:
        x = layers.Input((4,))
        super().__init__(x, layers.Dense(units)(layers.Dense(3)(x)), **options)
        self.units = units


def test_graphs_with_a_constructor_of_their_own(tmp_path: Any) -> None:
    model, x = Own(2, name="own"), np.ones((2, 4), "float32")
    assert model.get_config()["units"] == 2
    twin = Own.from_config(model.get_config())
    assert (twin.name, twin.units) == ("own", 2)
    with saving.CustomObjectScope({"Own": Own}):
        model.save(tmp_path / "own.keras")
        loaded = saving.load_model(tmp_path / "own.keras")
    np.testing.assert_array_equal(np.asarray(loaded(x)), np.asarray(model(x)))
    assert (type(loaded), loaded.units) == (Own, 2)
    saving.register_serializable("tests")(Own)
    model.save(tmp_path / "own.safetensors")
    loaded = saving.load_model(tmp_path / "own.safetensors")
    np.testing.assert_array_equal(np.asarray(loaded(x)), np.asarray(model(x)))
    assert (type(loaded), loaded.units) == (Own, 2)
