"""Models from the configurations of others, and from JSON."""

from __future__ import annotations

import inspect
import json
from typing import Any

import numpy as np
import pytest

import portanet
from portanet import layers, models, ops, saving
from portanet.models.graph import to_config


def graph() -> Any:
    x = layers.Input((4,))
    inner = portanet.Model(x, layers.Dense(3, name="hidden")(x), name="inner")
    y = layers.Input((4,))
    rows = ops.expand_dims(inner(y), 1)
    return portanet.Model(y, layers.Bidirectional(layers.LSTM(2))(rows) * 2 + 1)


def stack() -> Any:
    return portanet.Sequential([layers.Input((4,)), layers.Dense(3, "tanh"), layers.Dense(2)])


@pytest.mark.parametrize("make", [graph, stack])
def test_a_model_of_a_configuration_has_layers_of_its_own(make: Any) -> None:
    model, x = make(), np.ones((2, 4), "float32")
    twin = (portanet.Model if make is graph else portanet.Sequential).from_config(model.get_config())
    assert type(twin) is type(model)
    twin.set_weights(model.get_weights())
    np.testing.assert_array_equal(twin(x), model(x))
    before = model(x)
    twin.set_weights([np.zeros_like(w) for w in twin.get_weights()])
    np.testing.assert_array_equal(model(x), before)
    assert not set(twin.flatten_layers()) & set(model.flatten_layers())


def test_json_has_the_architecture() -> None:
    model, x = stack(), np.ones((2, 4), "float32")
    assert json.loads(model.to_json(indent=2))["class_name"] == "Sequential"
    twin = models.model_from_json(model.to_json())
    twin.set_weights(model.get_weights())
    np.testing.assert_array_equal(twin(x), model(x))


@pytest.mark.parametrize("text", ["[1]", "{", '{"class_name": "Dense", "config": {"units": 2}}', "[" * 100_000])
def test_json_of_something_else(text: str) -> None:
    with pytest.raises(saving.LoadError, match="Cannot create"):
        models.model_from_json(text)


@saving.register_serializable(package="tests")
class Scaled(layers.Layer):
    def __init__(self, factor: float, **options: Any) -> None:
        super().__init__(**options)
        self.factor = factor

    def call(self, x: Any) -> Any:
        return x * self.factor


def test_objects_of_the_user() -> None:
    layer = saving.deserialize_keras_object(saving.serialize_keras_object(Scaled(3.0)))
    assert isinstance(layer, Scaled)
    assert layer.factor == 3.0
    with pytest.raises(saving.LoadError, match="names the class 'Nope', which portanet does not have"):
        saving.deserialize_keras_object({"class_name": "Nope", "config": {}})
    with pytest.raises(ValueError, match="`custom_objects`"):
        saving.deserialize_keras_object({}, [Scaled])  # type: ignore[arg-type]


def test_a_symbolic_array_among_the_arguments() -> None:
    """`get_config` gives it back, for a copy in the process; a file of Keras cannot hold it."""
    x = layers.Input((3,))
    layer = Scaled(x)  # type: ignore[arg-type]
    assert layer.get_config()["factor"] is x
    assert Scaled.from_config(layer.get_config()).factor is x
    with pytest.raises(ValueError, match="symbolic array"):
        saving.serialize_keras_object(layer)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Dense(2),
        layers.Conv2D(2, 3),
        layers.LSTM(2),
        layers.BatchNormalization(),
        layers.MultiHeadAttention(2, 3),
        layers.AveragePooling2D(),
        layers.Embedding(3, 2),
        layers.LayerNormalization(),
    ],
    ids=lambda layer: type(layer).__name__,
)
def test_defaults_are_in_configurations(layer: Any) -> None:
    """As in Keras: not only what was given."""
    config = layer.get_config()
    for name, parameter in inspect.signature(type(layer).__init__).parameters.items():
        if name != "self" and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            assert name in config or name == "weights"


def test_a_file_from_before_outputs_in_dicts_were_sorted() -> None:
    x, y = layers.Input((4,), name="x"), layers.Input((4,), name="y")
    inner = portanet.Model(x, {"a": layers.Dense(3)(x), "b": layers.Dense(3)(x)}, name="inner")
    outer = portanet.Model(y, inner(y)["b"])
    old = to_config(inner)
    old["outputs"] = {key: old["outputs"][key] for key in ("b", "a")}
    config = {**to_config(outer), "name": "outer", "outputs": {"from": ["inner", 0, 0]}}  # of b, which was the first
    config["layers"] = {
        "y": layers.InputLayer((4,), name="y"),
        "inner": portanet.Model.from_config({**old, "name": "inner"}),
    }
    twin = portanet.Model.from_config(config)
    twin.set_weights(outer.get_weights())
    data = np.ones((2, 4), "float32")
    np.testing.assert_array_equal(twin(data), outer(data))
    assert to_config(twin)["outputs"] == to_config(outer)["outputs"]
