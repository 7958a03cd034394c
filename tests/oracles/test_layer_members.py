"""What Keras's layers, models and initializers offer besides calls, next to Keras."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import portanet
from portanet import initializers
from tests.support import asarray, assert_close, to_numpy

keras = pytest.importorskip("keras")
pytestmark = [
    pytest.mark.skipif(keras.backend.backend() != "torch", reason="Keras runs on another backend here"),
    pytest.mark.filterwarnings("ignore:.*copy keyword:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*input_shape:UserWarning"),
]
X = np.random.default_rng(1).normal(size=(4, 3)).astype("float32")
KERNEL, BIAS = np.arange(6, dtype="float32").reshape(3, 2), np.asarray([0.5, -1.0], "float32")


def host(x: Any) -> Any:
    return keras.ops.convert_to_numpy(x) if keras.ops.is_tensor(x) else to_numpy(x)


def test_unnamed_weights(xp: Any) -> None:
    results = []
    for library in (portanet, keras):

        class Scaled(library.layers.Layer):  # type: ignore[misc]
            def build(self, input_shape: Any) -> None:
                self.scale = self.add_weight(initializer="ones")
                self.shift = self.add_weight(shape=(input_shape[-1],), initializer=halves)
                self.count = self.add_weight(shape=(), dtype="int32", trainable=False)

            def call(self, inputs: Any) -> Any:
                return inputs * self.scale + self.shift

        def halves(shape: Any, dtype: Any = None, library: Any = library) -> Any:
            make = portanet.asarray if library is portanet else keras.ops.convert_to_tensor
            return make(np.full(shape, 0.5), dtype=dtype)

        layer = Scaled()
        results.append((host(layer(asarray(X) if library is portanet else X)), len(layer.weights)))
        assert len(layer.trainable_variables) == 2
        assert len(layer.non_trainable_variables) == 1
    np.testing.assert_allclose(results[0][0], results[1][0], rtol=1e-6)
    assert results[0][1] == results[1][1]


def test_input_shape_declares_the_input_with_a_warning(xp: Any) -> None:
    for options in ({"input_shape": (3,)}, {"input_dim": 3}):
        for library in (portanet, keras):
            with pytest.warns(UserWarning, match=next(iter(options))):
                layer = library.layers.Dense(2, **options)
            model = library.Sequential([layer, library.layers.Dense(1)])
            assert model.built
            assert model.input_shape == (None, 3)
    with pytest.warns(UserWarning, match="input_shape"):
        again = portanet.Sequential.from_config(portanet.models.clone_model(model_with_shape()).get_config())
    assert again.output_shape == (None, 2)


def model_with_shape() -> Any:
    return portanet.Sequential([portanet.layers.Dense(2, input_shape=(3,))])


def test_pop(xp: Any) -> None:
    for library in (portanet, keras):
        model = library.Sequential([library.layers.Input((3,)), library.layers.Dense(2), library.layers.Dense(1)])
        model.pop()
        model.set_weights([KERNEL, BIAS])
        assert model.output_shape == (None, 2)
        out = host(model(asarray(X) if library is portanet else X))
        np.testing.assert_allclose(out, X @ KERNEL + BIAS, rtol=1e-5)
        model.add(library.layers.Dense(4))
        assert model.output_shape == (None, 4)


def test_stateless_call(xp: Any) -> None:
    layer, other = (library.layers.BatchNormalization() for library in (portanet, keras))
    layer.build((None, 3))
    other.build((None, 3))
    before = [variable.numpy() for variable in layer.variables]
    trained, state = [np.ones(3) * 2, np.ones(3)], [np.zeros(3), np.ones(3)]
    out, new = layer.stateless_call([*map(asarray, trained)], [*map(asarray, state)], asarray(X), training=True)
    tensors = [[keras.ops.convert_to_tensor(each, "float32") for each in group] for group in (trained, state)]
    expected, new_expected = other.stateless_call(*tensors, X, training=True)
    assert_close(out, host(expected), rtol=1e-4)
    for value, truth in zip(new, new_expected, strict=True):
        assert_close(value, host(truth), rtol=1e-4)
    assert all((v.numpy() == b).all() for v, b in zip(layer.variables, before, strict=True))
    with pytest.raises(ValueError, match=r"`trainable_variables` .* a list of 2 arrays.* Received"):
        layer.stateless_call([], [], asarray(X))
    with pytest.raises(ValueError, match=r"`non_trainable_variables` .* a list of 2 arrays.* Received"):
        layer.stateless_call([*map(asarray, trained)], [*map(asarray, trained), asarray(trained[0])], asarray(X))


def test_own_variables_go_through_a_store(xp: Any) -> None:
    stores: list[dict[str, Any]] = [{}, {}]
    for library, store in zip((portanet, keras), stores, strict=True):
        layer = library.layers.Dense(2)
        layer.build_from_config({"input_shape": (None, 3)})
        layer.set_weights([KERNEL, BIAS])
        layer.save_own_variables(store)
        assert layer.get_build_config() == {"input_shape": (None, 3)}
    assert stores[0].keys() == stores[1].keys()
    layer = portanet.layers.Dense(2)
    layer.build((None, 3))
    layer.load_own_variables({name: keras.ops.convert_to_numpy(value) for name, value in stores[1].items()})
    np.testing.assert_array_equal(layer.get_weights()[0], KERNEL)
    with pytest.raises(ValueError, match=r"2 variables .* Received: 1 arrays"):
        layer.load_own_variables({"0": KERNEL})


def test_penalties_and_names(xp: Any) -> None:
    for library in (portanet, keras):
        layer = library.layers.Dense(2, kernel_regularizer="l2", name="first", autocast=True)
        layer.build((None, 3))
        layer.set_weights([KERNEL, BIAS])
        penalties = [host(loss.detach() if hasattr(loss, "detach") else loss) for loss in layer.losses]
        np.testing.assert_allclose(penalties, [0.55], rtol=1e-5)
        assert (layer.path, layer.dtype, layer.input_dtype, layer.input_spec is None) in (
            ("first", "float32", "float32", True),
            ("first", "float32", "float32", False),
        )


def test_initializers(xp: Any) -> None:
    assert_close(initializers.Constant(2.0)((2,), dtype="float32"), [2.0, 2.0], dtype="float32")
    assert_close(initializers.get("ones")((2,), "float64"), [1.0, 1.0], dtype="float64")
    values = np.asarray([1.0, 2.0], "float32")
    layer = portanet.layers.Dense(2, bias_initializer=asarray(values))
    layer.build((None, 3))
    np.testing.assert_array_equal(layer.bias.numpy(), values)
    twin = initializers.RandomNormal(stddev=2.0, seed=3).clone()
    assert twin.get_config() == keras.initializers.RandomNormal(stddev=2.0, seed=3).clone().get_config()
    assert initializers.get({"class_name": "Constant", "config": {"value": 3.0}}).value == 3.0
