"""Models of subclasses as files: written by Keras and loaded here, and the other way round."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pytest

import portanet
from tests.keras.test_files import data, outputs, require_equal, set_values

keras = pytest.importorskip("keras")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*Skipping variable loading")


def classes(library: Any) -> dict[str, Any]:
    """Classes of a layer, a model, a model of two inputs and a model with arguments, and a loss."""
    L = library.layers

    class Block(L.Layer):  # type: ignore[misc]
        def __init__(self, units: int = 3, **options: Any) -> None:
            super().__init__(**options)
            self.units = units
            self.second, self.first = L.Dense(units), L.Dense(units, "tanh")

        def build(self, input_shape: Any) -> None:
            self.scale = self.add_weight((self.units,), "ones", name="scale")
            self.first.build(input_shape)
            self.second.build((*input_shape[:-1], self.units))
            self.built = True

        def call(self, x: Any) -> Any:
            return self.second(self.first(x)) * self.scale

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "units": self.units}

    class Net(library.Model):  # type: ignore[misc]
        def __init__(self, **options: Any) -> None:
            super().__init__(**options)
            self.out = L.Dense(2)  # by name after `layers`, under which Keras has it
            self.blocks = [Block(), Block()]
            self.also = self.blocks[1]
            self.norm, self.Stem, self._hidden = (
                L.BatchNormalization(),
                L.Dense(3),
                {"a": L.Dense(3), "b": [L.Dense(3)]},
            )

        def call(self, x: Any, training: bool = False) -> Any:
            x = self._hidden["b"][0](self._hidden["a"](self.Stem(x)))
            for block in self.blocks:
                x = block(x)
            return self.out(self.norm(x, training=training))

    class Two(library.Model):  # type: ignore[misc]
        def __init__(self, units: int, activation: Any = None, **options: Any) -> None:
            super().__init__(**options)
            self.units, self.activation = units, activation
            self.inner = library.Sequential([L.Dense(units, activation), Block(units)])
            self.z = L.Dense(1)

        def call(self, inputs: Any) -> Any:
            return self.z(library.ops.concatenate([self.inner(inputs[0]), inputs[1]], -1))

        def get_config(self) -> dict[str, Any]:
            return {**super().get_config(), "units": self.units, "activation": self.activation}

    def distance(y_true: Any, y_pred: Any) -> Any:
        return library.ops.mean(library.ops.abs(y_true - y_pred), axis=-1)

    return {"Block": Block, "Net": Net, "Two": Two, "distance": distance}


def exchanged(library: Any, make: Any, x: Any, folder: pathlib.Path, compiled: Any = None) -> tuple[Any, Any]:
    """A model of one library, and the one that the other loads."""
    other = keras if library is portanet else portanet
    own, theirs = classes(library), classes(other)
    model = make(own)
    outputs(model, x)
    set_values(model.weights)
    if compiled is not None:
        model.compile(**compiled(own))
    model.save(folder / "m.keras")
    return model, other.saving.load_model(folder / "m.keras", custom_objects=theirs)


def single(own: dict[str, Any]) -> Any:
    return own["Net"]()


def double(own: dict[str, Any]) -> Any:
    return own["Two"](4, activation="relu", name="both")


@pytest.mark.parametrize("library", [keras, portanet])
def test_models(library: Any, tmp_path: pathlib.Path) -> None:
    for make, shapes in ((single, [(3,)]), (double, [(3,), (2,)])):
        x = data(shapes, False)
        model, loaded = exchanged(library, make, x, tmp_path)
        require_equal(model, loaded, x)
    assert (loaded.name, loaded.units, loaded.activation) == ("both", 4, "relu")


@pytest.mark.parametrize("library", [keras, portanet])
def test_variables_in_attributes(library: Any, tmp_path: pathlib.Path) -> None:
    """Of a layer that has no other; trained ones come first."""

    def scaled(each: Any) -> Any:
        class Scaled(each.layers.Layer):  # type: ignore[misc]
            def __init__(self, **options: Any) -> None:
                super().__init__(**options)
                self.steps = each.Variable(np.zeros(2, "int32"), dtype="int32", trainable=False, name="steps")
                self.factor = each.Variable(np.ones(3, "float32"), name="factor")
                self.offsets = [each.Variable(np.zeros(3, "float32"), name=name) for name in "ab"]

            def call(self, x: Any) -> Any:
                return x * self.factor + self.offsets[0] - self.offsets[1]

        return Scaled

    other = portanet if library is keras else keras
    here, there = scaled(library), scaled(other)
    model = library.Sequential([library.layers.Input((3,)), here(name="s"), library.layers.Dense(2)])
    set_values(model.weights)
    model.layers[0].steps.assign(np.asarray([5, 6]))
    model.save(tmp_path / "m.keras")
    loaded = other.saving.load_model(tmp_path / "m.keras", custom_objects={"Scaled": there})
    require_equal(model, loaded, data([(3,)], False))
    np.testing.assert_array_equal(np.asarray(loaded.layers[0].steps.numpy()), [5, 6])
    ours, store = (model if library is portanet else loaded).layers[0], dict[str, Any]()
    expected = [weight.numpy() for weight in ours.weights]
    ours.save_own_variables(store)
    for weight in ours.weights:
        weight.assign(weight * 0)
    ours.load_own_variables(store)
    assert len(store) == 4
    for weight, value in zip(ours.weights, expected, strict=True):
        np.testing.assert_array_equal(weight.numpy(), value)


def settings(own: dict[str, Any]) -> dict[str, Any]:
    return {"optimizer": "sgd", "loss": own["distance"], "metrics": [own["distance"], "mse"]}


@pytest.mark.parametrize("library", [keras, portanet])
def test_weights_and_settings(library: Any, tmp_path: pathlib.Path) -> None:
    """Weights alone go into a model that is there; a custom loss and metric are found by their names."""
    x, y = data([(3,)], False), data([(2,)], False)
    model, loaded = exchanged(library, single, x, tmp_path, settings)
    assert loaded.evaluate(x, y, verbose=0) == pytest.approx(model.evaluate(x, y, verbose=0), rel=1e-4)
    for weight in model.trainable_weights:
        weight.assign(weight.value * 0.5)
    model.save_weights(tmp_path / "m.weights.h5")
    loaded.load_weights(tmp_path / "m.weights.h5")
    require_equal(model, loaded, x)


def test_a_constructor_that_passes_all_arguments_on(tmp_path: pathlib.Path) -> None:
    class Own(portanet.Model):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.head = portanet.layers.Dense(2)

        def call(self, x: Any) -> Any:
            return self.head(x)

    model = Own()
    assert not model.compiled
    model.compile(portanet.optimizers.Adam(0.001), "mse")
    x = data([(3,)], False)
    model.fit(x, np.zeros((2, 2)), verbose=0)
    model.save(tmp_path / "m.keras")
    loaded = portanet.load_model(tmp_path / "m.keras", custom_objects={"Own": Own})
    assert loaded.compiled
    assert loaded.optimizer.get_config() == model.optimizer.get_config()
    require_equal(model, loaded, x)
