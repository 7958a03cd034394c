import numpy as np
import pytest

import portanet
from portanet import layers
from tests.support import asarray, assert_close, to_numpy


def mlp(*first):
    return portanet.Sequential([*first, layers.Dense(4, activation="relu"), layers.Dense(3, name="head")])


def test_a_model_with_an_input_is_built_at_once(backend):
    model = mlp(layers.Input((5,)))
    assert model.built
    assert list(model.named_variables()) == ["dense/kernel", "dense/bias", "head/kernel", "head/bias"]
    assert model.count_params() == 5 * 4 + 4 + 4 * 3 + 3


def test_a_model_without_is_built_by_the_first_call(backend):
    model = mlp()
    assert not model.built
    assert tuple(model(asarray(np.ones((2, 5)))).shape) == (2, 3)
    assert model.count_params() == 39


def test_a_model_that_could_not_be_built_is_built_for_other_inputs(backend):
    """Nothing is left of its first layers' weights."""
    model = portanet.Sequential([layers.Dense(4), layers.Flatten(), layers.Reshape((2, 4))])
    for _ in range(2):
        with pytest.raises(ValueError, match="elements the shape"):
            model(asarray(np.ones((2, 5))))
        assert not model.built
        assert not model.layers[0].built
        assert not any(part.build_shape for part in model.flatten_layers())
        assert list(model.named_variables()) == []
        assert not hasattr(model.layers[0], "kernel")
    assert tuple(model(asarray(np.ones((2, 2, 3)))).shape) == (2, 2, 4)
    assert tuple(model.layers[0].kernel.shape) == (3, 4)


def test_both_ways_draw_the_same_weights(backend):
    portanet.random.set_seed(1)
    at_once = mlp(layers.Input((5,)))
    portanet.random.set_seed(1)
    later = mlp()
    later(asarray(np.ones((2, 5))))
    for a, b in zip(at_once.get_weights(), later.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("first", [(), ([],), (None,)])
def test_layers_may_be_added_one_by_one(backend, first):
    model = portanet.Sequential(*first)
    model.add(layers.Input((5,)))
    model.add(layers.Dense(4, activation="relu"))
    model.add(layers.Dense(3, name="head"))
    whole = mlp(layers.Input((5,)))
    assert model.built
    assert list(model.named_variables()) == list(whole.named_variables())
    model.set_weights(whole.get_weights())
    x = asarray(np.linspace(-1, 1, 10).reshape(2, 5))
    assert_close(model(x), to_numpy(whole(x)))


@pytest.mark.parametrize("given", [5, layers.Dense(2), True])
def test_layers_come_in_a_list(given):
    with pytest.raises((TypeError, ValueError), match=r"`layers` of model 'sequential' must be a list of layers"):
        portanet.Sequential(given)


def test_a_class_is_no_layer():
    with pytest.raises(TypeError, match=r"must be a layer; a class makes one when it is called: Flatten\(\.\.\.\)"):
        portanet.Sequential([layers.Flatten])


def test_layers_are_one_argument():
    with pytest.raises(ValueError, match=r"`layers` of Sequential must be a list of layers, Sequential\(\[a, b\]\)"):
        portanet.Sequential(layers.Dense(2), layers.Dense(1))


def test_names_are_numbered_within_the_model_only(backend):
    for _ in range(2):
        model = portanet.Sequential([layers.Input((2,)), layers.Dense(2), layers.Dense(2), layers.Dense(2)])
        assert [layer.name for layer in model.layers] == ["dense", "dense_1", "dense_2"]


def test_a_model_is_a_layer(backend):
    inner = mlp()
    outer = portanet.Sequential([layers.Input((5,)), inner, layers.Dense(2)])
    assert list(outer.named_variables())[:2] == ["sequential/dense/kernel", "sequential/dense/bias"]
    assert tuple(outer(asarray(np.ones((2, 5)))).shape) == (2, 2)


def test_the_model_computes_what_its_layers_compute(backend):
    model = mlp(layers.Input((5,)))
    x = asarray(np.linspace(-1, 1, 10).reshape(2, 5))
    w, b, v, c = model.get_weights()
    expected = np.maximum(np.linspace(-1, 1, 10).reshape(2, 5) @ w + b, 0) @ v + c
    assert_close(model(x), expected.astype("float32"), rtol=1e-5, atol=1e-6)


def test_summary_tells_shapes_and_parameters(backend):
    lines = []
    mlp(layers.Input((5,))).summary(print_fn=lines.append)
    text = lines[0]
    assert "dense (Dense)" in text
    assert "(None, 4)" in text
    assert "Total params: 39 (156 B)\nTrainable params: 39 (156 B)\nNon-trainable params: 0 (0 B)" in text


def test_summary_of_an_unbuilt_model_says_what_to_do():
    lines = []
    mlp().summary(print_fn=lines.append)
    assert "(Dense)  ?                  ?       0" in lines[0]
    assert lines[0].endswith("The model is not built: parameters are known when it has seen data, or has an Input")


def test_only_layers_can_be_added():
    with pytest.raises(TypeError, match=r"`layer` of model 'sequential' must be a layer. Received: layer='relu'"):
        portanet.Sequential(["relu"])


def test_an_input_comes_first():
    model = mlp(layers.Input((5,)))
    with pytest.raises(ValueError, match="Only the first entry"):
        model.add(layers.Input((5,)))


def test_a_layer_stands_in_a_chain_once():
    layer = layers.Dense(5)
    with pytest.raises(ValueError, match="can hold a layer once"):
        portanet.Sequential([layer, layer])


def test_a_config_makes_an_equal_model(backend):
    model = mlp(layers.Input((5,)))
    twin = portanet.Sequential.from_config(model.get_config())
    assert [layer.name for layer in twin.layers] == [layer.name for layer in model.layers]


@pytest.mark.parametrize("shape", [True, (5.0,), (-1,)])
def test_input_shapes_are_tuples_of_sizes(shape):
    with pytest.raises(ValueError, match=r"`shape` of layer .input_layer. must be a"):
        layers.Input(shape)
