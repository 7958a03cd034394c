import inspect

import numpy as np
import pytest

import portanet
from portanet import layers
from portanet.backends import use_backend
from portanet.layers.preprocessing.image_layer import ImageLayer
from tests.support import asarray, assert_close, assert_equal


class Scale(layers.Layer):
    def build(self, input_shape):
        self.factor = self.add_weight((input_shape[-1],), "ones", name="factor")
        self.calls = self.add_weight((), "zeros", name="calls", trainable=False)

    def call(self, x, training=False):
        if training:
            self.calls.assign(self.calls.value + 1)
        return x * self.factor.value


class Pair(layers.Layer):
    def __init__(self, **options):
        super().__init__(**options)
        self.first = Scale()
        self.rest = [Scale(), Scale(name="last")]

    def call(self, x):
        for layer in (self.first, *self.rest):
            x = layer(x)
        return x


def test_a_layer_is_built_by_its_first_call(backend):
    layer = Scale()
    assert not layer.built
    assert_equal(layer(asarray([[1.0, 2.0]])), [[1.0, 2.0]])
    assert layer.built
    assert [v.name for v in layer.weights] == ["factor", "calls"]
    assert [v.name for v in layer.trainable_weights] == ["factor"]


def test_layers_held_in_attributes_and_lists_are_found(backend):
    pair = Pair()
    pair(asarray([[1.0, 2.0]]), training=True)
    assert list(pair.named_variables()) == [
        "scale/factor", "scale/calls", "scale_1/factor", "scale_1/calls", "last/factor", "last/calls"
    ]  # fmt: skip
    assert pair.count_params() == 9


def test_training_reaches_the_layers_below(backend):
    pair = Pair()
    pair(asarray([[1.0]]), training=True)
    pair(asarray([[1.0]]))
    assert [float(v.numpy()) for p, v in pair.named_variables().items() if p.endswith("calls")] == [1, 1, 1]


def test_freezing_reaches_the_layers_below(backend):
    pair = Pair()
    pair(asarray([[1.0]]))
    pair.first.trainable = False
    assert pair.trainable_paths() == ["scale_1/factor", "last/factor"]
    pair.trainable = False
    assert pair.trainable_paths() == []


def test_two_attributes_of_one_chosen_name_have_paths_of_their_own(backend):
    class Twins(layers.Layer):
        def __init__(self):
            super().__init__()
            self.a, self.b = Scale(name="same"), Scale(name="same")

        def call(self, x):
            return self.b(self.a(x))

    twins = Twins()
    twins(asarray([[1.0]]))
    assert (twins.trainable_paths(), twins.b.name) == (["same/factor", "same_1/factor"], "same")


@pytest.mark.parametrize("name", ["", "a/b", 3])
def test_bad_names_are_refused(name):
    with pytest.raises(ValueError, match="Argument `name` of Scale must be a non-empty string"):
        Scale(name=name)


def test_set_weights_is_all_or_nothing(backend):
    layer = Scale()
    layer(asarray([[1.0, 2.0]]))
    with pytest.raises(ValueError, match=r"'calls' has shape \(\); pass an array of that shape\. Received: \(1,\)"):
        layer.set_weights([np.zeros(2), np.zeros(1)])
    assert_equal(layer.factor.value, [1.0, 1.0])
    with pytest.raises(ValueError, match=r"has 2 weights.*Received: 1 arrays"):
        layer.set_weights([np.zeros(2)])
    layer.set_weights([np.asarray([3.0, 4.0]), np.asarray(5.0)])
    assert_equal(layer.factor.value, [3.0, 4.0])
    assert [w.tolist() for w in layer.get_weights()] == [[3.0, 4.0], 5.0]


def test_a_weight_name_is_used_once(backend):
    layer = Scale()
    layer.add_weight((1,), name="w")
    with pytest.raises(ValueError, match="already has a weight of that name"):
        layer.add_weight((1,), name="w")


def test_an_unknown_axis_cannot_be_allocated(backend):
    with pytest.raises(ValueError, match=r"shape of non-negative integers.*Received: shape=\(None, 3\)"):
        Scale().add_weight((None, 3))


def test_an_array_of_another_library_names_both_sides_and_the_fix():
    pytest.importorskip("array_api_strict")
    with use_backend("strict"):
        layer = layers.Dense(2)
        layer.build((None, 3))
    with use_backend("numpy"), pytest.raises(TypeError, match=r"built on backend 'strict'.*model\.to\(.*of 'numpy'"):
        layer(np.ones((1, 3)))
    with pytest.raises(TypeError, match=r"convert lists and numbers with portanet.asarray"):
        layer([[1.0, 2.0, 3.0]])


@pytest.mark.parametrize("dtype", ["int32", "bool"])
def test_weights_that_are_no_floats_begin_at_zero(dtype, backend):
    weight = layers.Activation("relu").add_weight((2, 3), dtype=dtype)
    assert backend.dtype_name(weight.dtype) == dtype
    np.testing.assert_array_equal(backend.to_host(weight.value), np.zeros((2, 3), dtype))


@pytest.mark.parametrize("dtype", ["float32", "float64", None])
def test_weights_that_are_floats_begin_like_glorot(dtype, backend):
    values = []
    for options in ({}, {"initializer": "glorot_uniform"}):
        portanet.random.set_seed(3)
        values.append(layers.Activation("relu", name="a").add_weight((2, 3), name="w", dtype=dtype, **options).numpy())
    np.testing.assert_array_equal(*values)
    assert np.all(values[0] != 0)


def test_to_moves_the_weights(backend):
    layer = layers.Dense(2)
    layer.build((None, 3))
    kernel = layer.kernel.numpy()
    assert layer.to("numpy") is layer
    assert isinstance(layer.kernel.value, np.ndarray)
    np.testing.assert_array_equal(layer.kernel.value, kernel)
    layer.to(backend)
    assert_equal(layer.kernel.value, kernel)


def test_layers_of_their_own_do_not_start_alike(backend):
    a, b = layers.Dense(3), layers.Dense(3)
    a.build((None, 4))
    b.build((None, 4))
    assert not np.array_equal(a.kernel.numpy(), b.kernel.numpy())


def test_initial_weights_are_the_same_bits_on_every_backend(backend):
    def kernel():
        portanet.random.set_seed(3)
        model = portanet.Sequential([layers.Input((5,)), layers.Dense(4), layers.Dense(3)])
        return [v.numpy() for v in model.weights]

    here = kernel()
    with use_backend("numpy"):
        there = kernel()
    for a, b in zip(here, there, strict=True):
        np.testing.assert_array_equal(a, b)


def test_the_dtype_of_a_layer_can_be_chosen(backend):
    layer = layers.Dense(2, dtype="float64", kernel_initializer="ones")
    layer.build((None, 3))
    assert_close(layer(asarray([[1.0, 2.0, 3.0]], "float64")), [[6.0, 6.0]], dtype="float64")


def test_a_layer_without_a_policy_computes_in_the_dtype_of_its_weights_in_a_model_with_one(backend):
    x = layers.Input((1,))
    model = portanet.Model(x, layers.Dense(1, kernel_initializer="ones")(x), dtype="mixed_float16")
    value = 1 + 2.0**-20  # 1 in half precision
    assert float(model(asarray([[value]]))[0, 0]) == np.float32(value)


KINDS = [kind for kind in vars(layers).values() if inspect.isclass(kind) and issubclass(kind, layers.Layer)]
KINDS += [portanet.Sequential, portanet.models.Functional]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_a_call_without_options_is_one_of_inference_without_masks(kind):
    """But augmentation, called alone, augments, and models leave it to their layers; as in Keras."""
    augments = issubclass(kind, (ImageLayer, layers.Pipeline))
    off = {
        "training": None if kind in (portanet.Sequential, portanet.models.Functional) else augments,
        "return_attention_scores": False,
        "return_mask": False,
        "start_index": 0,
        "reverse": False,
    }
    off["use_causal_mask"] = kind is layers.TransformerDecoder  # as in KerasHub
    parameters = inspect.signature(kind.call).parameters.values()
    given = {each.name: each.default for each in parameters if each.default is not each.empty}
    assert given == {name: off.get(name) for name in given}
