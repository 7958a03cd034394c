"""clone_model with functions for layers and their calls, and on other inputs; Keras computes the same."""

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.models import clone_model


def branches():
    x = layers.Input((3,), name="x")
    shared = layers.Dense(3, name="shared")
    return portanet.Model(x, [1 - shared(shared(x)), layers.Dense(2, name="end")(x)])


def wider(layer):
    return layers.Dense(layer.units, "relu", name=f"{layer.name}_new") if isinstance(layer, layers.Dense) else layer


def test_functions_replace_layers_once_each(backend):
    model = branches()
    twin = clone_model(model, clone_function=wider)
    assert list(twin.named_variables()) == [
        f"{name}_new/{part}" for name in ("shared", "end") for part in ("kernel", "bias")
    ]
    twin.set_weights(model.get_weights())
    x = np.asarray([[1.0, -2.0, 3.0]], "float32")
    kernel, bias, end, _ = model.get_weights()
    hidden = np.maximum(np.maximum(x @ kernel + bias, 0) @ kernel + bias, 0)
    first, second = (backend.to_host(out) for out in twin(portanet.asarray(x)))
    np.testing.assert_allclose(first, 1 - hidden, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(second, np.maximum(x @ end, 0), rtol=1e-5, atol=1e-6)


def test_functions_call_layers():
    twin = clone_model(branches(), call_function=lambda layer, *args, **options: 2 * layer(*args, **options))
    assert len(twin.operations) == len(branches().operations) + 4


def test_other_inputs():
    x = layers.Input(batch_shape=(7, 3), name="y")
    twin = clone_model(branches(), input_tensors=x)
    assert twin.input is x
    assert [array.shape for array in twin.outputs] == [(7, 3), (7, 2)]
    with pytest.raises(ValueError, match="must be 1 symbolic arrays"):
        clone_model(branches(), input_tensors=[x, x])


@pytest.mark.parametrize("recursive", [False, True])
def test_models_in_models(recursive):
    inner = portanet.Sequential([layers.Dense(2, name="first")], name="inner")
    model = portanet.Sequential([layers.Input((3,)), inner, layers.Dense(4, name="second")])
    seen = []
    twin = clone_model(
        model, clone_function=lambda layer: (seen.append(layer.name), wider(layer))[1], recursive=recursive
    )
    assert seen == (["first", "second"] if recursive else ["inner", "second"])
    assert [layer.name for layer in twin.layers] == ["inner", "second_new"]
    assert twin.output_shape == (None, 4)


def test_arguments_that_do_not_fit():
    class Custom(portanet.Model):
        def call(self, x):
            return x

    with pytest.raises(ValueError, match="a graph or a Sequential"):
        clone_model(Custom(), clone_function=wider)
    with pytest.raises(ValueError, match="`model` of clone_model must be a graph"):
        clone_model(portanet.Sequential([layers.Dense(2)]), call_function=lambda layer, x: layer(x))
    with pytest.raises(ValueError, match="returns a layer"):
        clone_model(branches(), clone_function=lambda layer: layer.name)


@pytest.mark.parametrize("function", [None, wider])
def test_a_clone_is_compiled_as_its_model(function):
    model = portanet.Sequential([layers.Input((3,)), layers.Dense(2)])
    assert not clone_model(model, clone_function=function).compiled
    metric = portanet.metrics.MeanAbsoluteError(name="error")
    model.compile(portanet.optimizers.SGD(0.25, momentum=0.5), "mse", metrics=[metric])
    x, y = np.ones((4, 3), "float32"), np.ones((4, 2), "float32")
    model.fit(x, y, verbose=0)
    twin = clone_model(model, clone_function=function)
    assert (twin.compiled, twin.optimizer.learning_rate, twin.optimizer.momentum) == (True, 0.25, 0.5)
    before = model.get_weights()
    assert set(twin.fit(x, y, verbose=0).history) == {"loss", "error"}
    assert twin.optimizer is not model.optimizer
    assert model.optimizer.iterations == 1
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


class Averaged(portanet.Model):
    """A network, and a clone of the same name."""

    def __init__(self):
        super().__init__()
        self.network = portanet.Sequential([layers.Input((3,)), layers.Dense(2, name="same")], name="network")
        self.average = clone_model(self.network)

    def call(self, x):
        return self.network(x) - self.average(x)


def test_a_network_and_its_clone_are_attributes_of_one_model(backend, tmp_path):
    model = Averaged()
    x = np.ones((2, 3), dtype="float32")
    expected = model.predict(x)
    assert (model.average.name, [v.path for v in model.weights]) == (
        "network",
        [f"{place}/same/{name}" for place in ("network", "network_1") for name in ("kernel", "bias")],
    )
    for name in ("m.safetensors", "m.weights.h5"):
        model.save_weights(tmp_path / name)
        other = Averaged()
        other.build((None, 3))
        other.load_weights(tmp_path / name)
        np.testing.assert_allclose(other.predict(x), expected, rtol=1e-6)
    model.compile("sgd", "mse")
    model.fit(x, np.ones((2, 2)), verbose=0)
